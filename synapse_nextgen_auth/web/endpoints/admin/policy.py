"""`policy-data`: matrix-authentication-service's data for a policy, of which there is none here."""

from synapse_nextgen_auth.web.endpoints.admin.calls import Call
from synapse_nextgen_auth.web.endpoints.admin.operations import (
    Answer,
    Field,
    One,
    Operation,
    Refused,
    Shape,
)
from synapse_nextgen_auth.web.endpoints.admin.values import Anything, Time

_SHAPE = Shape(
    "policy-data",
    "PolicyData",
    (
        Field("created_at", Time(), "When it was set.", True),
        Field("data", Anything(), "What was set.", True),
    ),
    "Nothing: there is no policy here that takes data.",
)
_NONE = {404: "There is none, ever."}


async def _set(_call: Call) -> Answer:
    raise Refused(
        400,
        "There is no policy here that takes data: the configuration of the module says what is allowed.",
    )


async def _get(_call: Call) -> Answer:
    raise Refused(404, "There is no policy data.")


OPERATIONS = (
    Operation(
        method="POST",
        path="policy-data",
        name="setPolicyData",
        tag="policy-data",
        summary="Always refused: there is no policy here that takes data",
        do=_set,
        answers={201: One(_SHAPE)},
        body_title="SetPolicyDataRequest",
        body=(Field("data", Anything(), "Whatever it is.", True),),
    ),
    Operation(
        method="GET",
        path="policy-data/latest",
        name="getLatestPolicyData",
        tag="policy-data",
        summary="Always 404: there is no policy data",
        do=_get,
        answers={200: One(_SHAPE)},
        refuses=_NONE,
    ),
    Operation(
        method="GET",
        path="policy-data/{id}",
        name="getPolicyData",
        tag="policy-data",
        summary="Always 404: there is no policy data",
        do=_get,
        answers={200: One(_SHAPE)},
        refuses=_NONE,
    ),
)
