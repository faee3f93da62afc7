"""Every page there is, as the record of what it says; a test finds the one that is missing here."""

from synapse_nextgen_auth.web.pages.account.page import DevicePage, DevicesPage, SessionPage
from synapse_nextgen_auth.web.pages.approve.page import ApprovedPage, ApprovePage
from synapse_nextgen_auth.web.pages.consent.page import ConsentPage
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.device.page import DeviceDonePage, DeviceGrantPage, LinkPage
from synapse_nextgen_auth.web.pages.home.page import HomePage, SignedOutPage
from synapse_nextgen_auth.web.pages.message.page import MessagePage
from synapse_nextgen_auth.web.pages.sign_in.page import SignInPage
from synapse_nextgen_auth.web.pages.way_back.page import (
    AskAgainPage,
    FormPostPage,
    RefusedPage,
    WayBackPage,
)

PAGES: tuple[type[PageContent], ...] = (
    SignInPage,
    ConsentPage,
    HomePage,
    SignedOutPage,
    LinkPage,
    DeviceGrantPage,
    DeviceDonePage,
    DevicesPage,
    DevicePage,
    SessionPage,
    ApprovePage,
    ApprovedPage,
    MessagePage,
    FormPostPage,
    WayBackPage,
    AskAgainPage,
    RefusedPage,
)
