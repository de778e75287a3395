"""E-mail by SMTP, and the test that a mailbox is read: a message with a link, and behind it a button to press."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from bot.domain.errors import ToolRefused, ToolSilent
from bot.domain.test_alert import Cause, Hop, Sent, TestAlert, TestPath
from bot.ports import Randomness

SECONDS = 10
TOKEN_BYTES = 24
NAME = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """`server` is an address like smtps://user:password@smtp.example.com:465. Without it no e-mail is sent."""

    server: str = field(default="", repr=False)
    recipients: Sequence[str] = ()
    sender: str = "socmon@localhost"

    def send(self, subject: str, text: str, *, to: Sequence[str]) -> bool:
        """False when nothing can be sent, or to nobody. Raises smtplib.SMTPException and OSError."""
        url = urlsplit(self.server)
        if not url.hostname or not to:
            return False
        message = EmailMessage()
        message["Subject"] = subject
        message["From"] = self.sender
        message["To"] = ", ".join(to)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        with _connected(url.scheme, url.hostname, url.port) as smtp:
            if url.username:
                if not isinstance(smtp.sock, ssl.SSLSocket):
                    raise smtplib.SMTPNotSupportedError(
                        "The mail server offers no TLS, so it gets no password."
                    )
                smtp.login(unquote(url.username), unquote(url.password or ""))
            smtp.send_message(message)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailTestAlerts:
    """Sends test alerts as a provider's `TestAlertSender` does. That a server took a message is no delivery.

    `public_url` is where the link leads: only whoever opens the message can press the button behind it.
    """

    email: Email
    public_url: str
    randomness: Randomness

    def paths(self) -> tuple[TestPath, ...]:
        if not self.email.server or not self.public_url:
            return ()
        return tuple(
            TestPath(id=f"{NAME}:{to}", provider=NAME, title=f"E-mail → {to}", hops=(Hop.SENT, Hop.SEEN))
            for to in self.email.recipients
        )

    def send(self, test: TestAlert, at: datetime) -> Sent:
        """Each try has a link of its own, whose secret only the message has. Raises ToolRefused and ToolSilent."""
        to = test.path.partition(":")[2]
        token = self.randomness.token(TOKEN_BYTES).hex()
        about = f" of {test.component}" if test.component else ""
        text = (
            f"TEST, no alert. socmon tests that e-mails to {to} are read{about} ({test.name}, {at:%Y-%m-%d %H:%M} UTC)."
            " Nothing is wrong.\n\n"
            f"Open this page and press “I received this”:\n{self.public_url}/confirm/{token}\n"
        )
        try:
            self.email.send(f"[TEST] socmon {test.name}: nothing is wrong, please confirm", text, to=[to])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise ToolRefused(
                f"The mail server refuses the message to {to} ({_said(error)}). Correct the address under [operators],"
                " or let the server take mail from socmon."
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            raise ToolRefused(
                f"The mail server refuses socmon's password ({_said(error)}). Correct SOCMON_SMTP_URL."
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ToolSilent(
                f"The mail server did not take the message ({type(error).__name__}). See SOCMON_SMTP_URL."
            ) from error
        return Sent(reference=to, link=digest(token))

    def explain(self, test: TestAlert, hop: Hop, at: datetime) -> Cause | None:  # noqa: ARG002 - a mailbox says nothing
        if hop is not Hop.SEEN:
            return None
        return Cause(
            says="The mail server took the message, and nobody pressed the button behind its link.",
            mend="Look into the mailbox and its spam folder; the page has to be reachable from there.",
        )

    def clean_up(self, test: TestAlert, at: datetime) -> str:  # noqa: ARG002
        """The message stays where it is; its link is spent."""
        return "nothing to clean up: the link is spent"


def digest(token: str) -> str:
    """What the records keep of a link's secret."""
    return sha256(token.encode()).hexdigest()


def _said(error: smtplib.SMTPException) -> str:
    """What the server answered, in a line."""
    code, said = 0, b""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, answer = error.smtp_code, error.smtp_error
        said = answer if isinstance(answer, bytes) else answer.encode()
    return f"{code} {said.decode('utf-8', 'replace')}"[:120]


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    """TLS from the start (smtps), or as soon as the server offers it; certificates are checked."""
    trusted = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=SECONDS, context=trusted)
    smtp = smtplib.SMTP(host, port or 587, timeout=SECONDS)
    smtp.ehlo()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=trusted)
    return smtp
