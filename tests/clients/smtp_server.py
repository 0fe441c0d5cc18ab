"""A mail server for tests: aiosmtpd, which does what a file says.

    smtp_server.py FOLDER [--tls starttls|implicit CERT KEY] [--login USER PASSWORD]

Prints `port N` once it listens, appends a line of JSON to FOLDER/letters for each letter that it took, and ends when
its standard input does. FOLDER/mode, looked at before each answer, is one of: accept (also where there is no file),
later (450), never (550), full (552 after the text), hang (takes the text and never answers).
"""
import argparse
import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--tls", nargs=3, metavar=("MODE", "CERT", "KEY"))
parser.add_argument("--login", nargs=2, metavar=("USER", "PASSWORD"))
wanted = parser.parse_args()


def mode():
    try:
        return (wanted.folder / "mode").read_text().strip()
    except FileNotFoundError:
        return "accept"


class Desk:
    async def handle_RCPT(self, server, session, envelope, address, options):
        match mode():
            case "later":
                return "450 4.2.1 <%s> try again later" % address
            case "never":
                return "550 5.1.1 <%s> unknown" % address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        match mode():
            case "hang":
                await asyncio.sleep(3600)
            case "full":
                return "552 5.2.2 the mailbox is full"
        letter = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        line = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "id": letter["Message-ID"],
            "key": letter["X-Pulse-Key"],
            "subject": letter["Subject"],
            "unsubscribe": letter["List-Unsubscribe"],
            "body": letter.get_content(),
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "user": session.auth_data.decode() if session.auth_data else None,
        }
        # The letter is kept before it is said to be taken.
        with open(wanted.folder / "letters", "a") as out:
            out.write(json.dumps(line) + "\n")
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == wanted.login
    return AuthResult(success=right, handled=right, auth_data=data.login if right else None)


async def main():
    options = {"hostname": "localhost", "enable_SMTPUTF8": True}
    implicit = None
    if wanted.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(wanted.tls[1], wanted.tls[2])
        if wanted.tls[0] == "implicit":
            implicit = context
        else:
            options |= {"tls_context": context, "require_starttls": True}
    if wanted.login:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": bool(wanted.tls) and not implicit}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Desk(), loop=loop, **options), "127.0.0.1", 0, ssl=implicit)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
