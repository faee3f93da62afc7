"""A client that sends people to us with a form instead of a link."""

from support.oauth import Browser, Server


def test_a_form_from_another_site_signs_nobody_out(homeserver):
    """Browsers leave our cookie out of it, so we ask again with GET and keep who is signed in."""
    user = homeserver.new_user()
    server = Server(homeserver.base_url)
    parameters, _ = server.client().request(state="a b&c")
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    cookies = dict(browser.http.cookies)

    bare = Browser(server)
    answer = bare.http.post(server.url("authorize"), data=parameters, allow_redirects=False)
    page = browser.get(server.url(answer.headers["Location"]))

    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    assert user.user_id in page.text
    assert dict(browser.http.cookies) == cookies
