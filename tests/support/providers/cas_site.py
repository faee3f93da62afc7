"""A CAS server nobody here wrote (django-cas-server), run as a program: any name is a person.

It is given one JSON object: the `directory` for its database, and its `port`.
"""

import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django import setup
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


def main(directory, port):
    """Make the tables, let every service ask, and answer until somebody ends this."""
    settings.configure(
        ALLOWED_HOSTS=["localhost"],
        CAS_AUTH_CLASS="support.providers.cas_people.Anybody",
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{directory}/cas.sqlite"}
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "cas_server",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        CSRF_COOKIE_NAME="cas_csrf",
        SESSION_COOKIE_NAME="cas_session",
        ROOT_URLCONF="support.providers.cas_urls",
        SECRET_KEY="only-tests-sign-with-this",
        STATIC_URL="/static/",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        USE_TZ=False,
    )
    setup()
    call_command("migrate", verbosity=0)
    from cas_server.models import ReplaceAttributName, ServicePattern  # noqa: PLC0415

    anybody = ServicePattern.objects.create(name="anybody", pattern=".*", proxy=True)
    ReplaceAttributName.objects.create(name="name", service_pattern=anybody)
    with make_server("localhost", port, get_wsgi_application(), handler_class=_Silent) as server:
        server.serve_forever()


class _Silent(WSGIRequestHandler):
    def log_message(self, *_):
        """Write nothing."""


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
