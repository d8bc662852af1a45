"""How a workstation and who sits down at it become known to the server: by a one-time code, or by joining; and how
they are known again after a forgotten password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.ask import ask
from operator_tui.signin.messages import (
    CHALLENGE_DIGITS,
    CHALLENGE_PATH,
    JOIN_PATH,
    RESET_PATH,
    ChallengeAnswer,
    ChallengeRequest,
    JoinRequest,
    ResetAnswer,
    ResetRequest,
    join_text,
)
from operator_tui.sync.protocol import ENROL_PATH, PROTOCOL_VERSION, EnrolAnswer, EnrolRequest

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from operator_tui.sync.link import Link


async def enrol(
    link: Link, code: str, key: SigningKey, machine: SigningKey, password: str, *, oidc: bool
) -> EnrolAnswer:
    """A seat by an administrator's code. Refusals: ENROLMENT_CODE, SIGN_IN_WRONG, PASSWORD_WEAK, ACCOUNT_BLOCKED, and
    those of the link."""
    asked = EnrolRequest(
        v=PROTOCOL_VERSION,
        code=code,
        key=bytes(key.verify_key).hex(),
        password="" if oidc else password,
        workstation=bytes(machine.verify_key).hex(),
        oidc=oidc,
    )
    answer = await ask(link, ENROL_PATH, asked, EnrolAnswer)
    if not answer.login:
        raise Refusal(Code.SERVER_REFUSED, reason="no account")
    return answer


async def join(link: Link, login: str, key: SigningKey, machine: SigningKey, password: str) -> EnrolAnswer:
    """A seat at this enrolled workstation, by his password. Refusals: SIGN_IN_WRONG, SIGN_IN_LATER, ACCOUNT_BLOCKED,
    DEVICE_OTHER, DEVICE_SIGNATURE, SEAT_NEEDS_SERVER, and those of the link."""
    public, ours = bytes(machine.verify_key).hex(), bytes(key.verify_key).hex()
    try:
        about = ChallengeRequest(PROTOCOL_VERSION, public[:CHALLENGE_DIGITS])
        challenge = await ask(link, CHALLENGE_PATH, about, ChallengeAnswer)
        signature = machine.sign(join_text(challenge.nonce, public, login, ours)).signature.hex()
        asked = JoinRequest(PROTOCOL_VERSION, public, login, password, ours, challenge.nonce, signature)
        return await ask(link, JOIN_PATH, asked, EnrolAnswer)
    except Refusal as refusal:
        if refusal.code is Code.SERVER_AWAY:
            raise Refusal(Code.SEAT_NEEDS_SERVER) from refusal
        raise


@dataclass(frozen=True, repr=False)
class Restored:
    """What the server gives back for a reset code: who this device is, its new key, and the journal's old one (empty
    when the server never had it)."""

    answer: ResetAnswer
    key: SigningKey
    journal_key: bytes


async def reset(link: Link, device: str, code: str, password: str) -> Restored:
    """Refusals: RESET_CODE, PASSWORD_WEAK, DEVICE_OTHER, and those of the link."""
    from nacl.public import PrivateKey, SealedBox
    from nacl.signing import SigningKey

    key, box = SigningKey.generate(), PrivateKey.generate()
    public = bytes(key.verify_key).hex(), bytes(box.public_key).hex()
    answer = await ask(link, RESET_PATH, ResetRequest(PROTOCOL_VERSION, device, code, password, *public), ResetAnswer)
    return Restored(answer, key, SealedBox(box).decrypt(bytes.fromhex(answer.journal)) if answer.journal else b"")
