"""`waggle knowledge ask | grants | grant | revoke | decide`: who may read a store, who asks to.

On the machine of the service, a command acts as an admin on the file of rights, and no service
needs to run. With `--url` it goes through the API with the key in WAGGLE_API_KEY, which must be the
owner's or an admin's. `ask` always goes through the API: it needs a key to ask for.
"""

import json
import os
import pwd
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

import typer
from pydantic import ValidationError

from router.cli.context import CommandContext, JsonOption, UrlOption, in_context, mistakes
from router.cli.knowledge_rights_source import (
    OPERATOR,
    from_file,
    from_service,
    line_of,
    refusing,
    rights_of,
    send,
    show_rows,
)
from router.cli.terminal import InputRefused, out
from router.config.knowledge_access import StandingGrant, checked_who
from router.knowledge.rights.asking import Asks, NoSuchAsk
from router.knowledge.rights.declaring import changed_terms, terms_of
from router.knowledge.rights.grants import Terms

rights_app = typer.Typer()

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The store.")]
MayOption = Annotated[str | None, typer.Option("--may", help="read (usual) or write.")]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="30d from now, or a date such as 2027-01-31.")
]
RateOption = Annotated[
    int | None, typer.Option("--rate", min=1, help="Most uses in an hour, for each key.")
]
IdleOption = Annotated[
    float | None, typer.Option("--idle-days", help="Days without a use until it lapses.")
]
CiteOption = Annotated[
    bool | None, typer.Option("--must-cite/--need-not-cite", help="Withhold uncited answers.")
]


@rights_app.command("ask")
@in_context
def ask(
    here: CommandContext,
    name: NameArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why access is needed, for the owner.")],
    may: MayOption = None,
    lasting: Annotated[
        str | None, typer.Option("--for", help="How long, such as 30d, which is usual.")
    ] = None,
    url: UrlOption = None,
) -> None:
    """Ask for access to a store, with the key in WAGGLE_API_KEY.

    Example: waggle knowledge ask handbook --reason "case 112, until the hearing" --for 30d
    """
    body = {"reason": reason, "may": may, "for": lasting}
    written = {key: value for key, value in body.items() if value is not None}
    answer = send(here.client(url), "POST", f"{name}/asks", written)
    if answer["state"] == "granted":
        out.print(f"Granted by a rule: grant {answer['grant']}.", markup=False)
    else:
        out.print(f"Ask {answer['number']} waits for the owner of {name}.", markup=False)


@rights_app.command("grants")
@in_context
def grants(
    here: CommandContext,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One store.")] = None,
    events: Annotated[
        bool, typer.Option("--events", help="Everything that happened, by number.")
    ] = False,
    use: Annotated[bool, typer.Option("--use", help="Who used what, by day.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show grants and the asks that wait; or all events; or who reads what.

    Examples: waggle knowledge grants handbook, waggle knowledge grants --use
    """
    if url is not None:
        if name is None:
            raise InputRefused("--url needs the NAME of a store", "name a store that you own")
        given = from_service(here.client(url), name)
    else:
        with rights_of(here) as rights:
            given = from_file(rights, name)
    what = "events" if events else "use" if use else ""
    if as_json:
        out.print_json(json.dumps(given[what] if what else given))
    elif what:
        show_rows(given[what])
    else:
        show_rows(given["grants"])
        if given["asks"]:
            out.print("\nThese asks wait; answer with `waggle knowledge decide NUMBER yes`:")
            show_rows(given["asks"])


@rights_app.command("grant")
@in_context
def grant(
    here: CommandContext,
    name: NameArgument,
    who: Annotated[
        str, typer.Argument(help="key:NAME, locale:TEAM, everybody; or the number of a grant.")
    ],
    may: MayOption = None,
    until: UntilOption = None,
    rate: RateOption = None,
    idle_days: IdleOption = None,
    must_cite: CiteOption = None,
    url: UrlOption = None,
) -> None:
    """Give access to a store; or change the conditions of the grant with a number.

    Example: waggle knowledge grant handbook locale:sales --until 30d --rate 60
    """
    fields = _conditions(may, until, rate, idle_days, must_cite)
    number = int(who) if who.isdigit() else None
    if number is None:
        _check_who(who)
    if url is not None:
        path = f"{name}/grants" + ("" if number is None else f"/{number}")
        body = fields if number is not None else {"who": who, **fields}
        shown = send(here.client(url), "POST", path, body)
    else:
        with rights_of(here) as rights:
            now, by = rights.wall(), _user()
            with refusing(name):
                rights.check_owner(rights.looking, OPERATOR, name)
                if number is None:
                    here.record("knowledge granted", name, after={"who": who, **fields})
                    terms = terms_of(StandingGrant(who=who, **fields), now)
                    made = rights.grant(OPERATOR, name, who, terms, by=by)
                else:
                    rights.grant_in(OPERATOR, name, number)
                    after = {"grant": number, **fields}
                    here.record("knowledge grant changed", name, after=after)

                    def change(before: Terms) -> Terms:
                        return changed_terms(before, fields, now)

                    made = rights.change(OPERATOR, number, change, by=by)
            shown = made.shown(now)
    out.print(f"Grant {shown['number']} of {name}: {line_of(shown)}", markup=False)


@rights_app.command("revoke")
@in_context
def revoke(
    here: CommandContext,
    name: NameArgument,
    grant: Annotated[
        str, typer.Argument(help="The number of a grant; or who it is for, for all of theirs.")
    ],
    url: UrlOption = None,
) -> None:
    """End access at once, in every process.

    Examples: waggle knowledge revoke handbook 7, waggle knowledge revoke handbook key:bob
    """
    if url is not None:
        client = here.client(url)
        for number in _numbers(grant, name, from_service(client, name)):
            send(client, "DELETE", f"{name}/grants/{number}", None)
            out.print(f"Grant {number} of {name} is revoked.", markup=False)
        return
    with rights_of(here) as rights, refusing(name):
        for number in _numbers(grant, name, from_file(rights, name)):
            rights.grant_in(OPERATOR, name, number)
            here.record("knowledge grant revoked", name, after={"grant": number})
            rights.revoke(OPERATOR, number, by=_user())
            out.print(f"Grant {number} of {name} is revoked.", markup=False)


def _numbers(grant: str, name: str, given: Mapping[str, Any]) -> list[int]:
    """The grants of a store that the command names, by their number or by who they are for."""
    over = ("revoked", "ended", "lapsed")
    numbers = [
        each["number"]
        for each in given["grants"]
        if str(each["number"]) == grant or (each["who"] == grant and each["state"] not in over)
    ]
    if not numbers:
        mend = f"see `waggle knowledge grants {name}`"
        raise InputRefused(f"{name} has no grant in force for {grant}", mend)
    return numbers


@rights_app.command("decide")
@in_context
def decide(
    here: CommandContext,
    number: Annotated[int, typer.Argument(help="The number of the ask.")],
    answer: Annotated[str, typer.Argument(help="yes or no.")],
    name: Annotated[str | None, typer.Option("--store", help="Its store; --url needs it.")] = None,
    may: MayOption = None,
    until: UntilOption = None,
    rate: RateOption = None,
    idle_days: IdleOption = None,
    must_cite: CiteOption = None,
    url: UrlOption = None,
) -> None:
    """Answer an ask. A yes grants what was asked for, but for the conditions that you give.

    Example: waggle knowledge decide 12 yes --until 14d --must-cite
    """
    if answer not in ("yes", "no"):
        raise InputRefused(f"ANSWER = {answer!r} is neither yes nor no")
    fields = _conditions(may, until, rate, idle_days, must_cite)
    if url is not None:
        if name is None:
            raise InputRefused("--url needs the store of the ask", "name it by --store NAME")
        path = f"{name}/asks/{number}"
        shown = send(here.client(url), "POST", path, {"answer": answer, **fields})
    else:
        with rights_of(here) as rights, refusing(name or "that store"):
            asks, now = Asks(rights), rights.wall()
            waiting = {each.number: each for each in asks.waiting_for(OPERATOR)}
            given = waiting.get(number)
            if given is None:
                raise NoSuchAsk(number)
            wished = Terms(given.wish.may, until=now + given.wish.seconds)
            after = {"ask": number, "answer": answer}
            here.record("knowledge ask decided", given.store, after=after)
            decision = cast(Literal["yes", "no"], answer)
            terms = changed_terms(wished, fields, now)
            shown = asks.decide(OPERATOR, number, decision, terms, _user()).shown_to_owner()
    granted = f", grant {shown['grant']}" if "grant" in shown else ""
    out.print(f"Ask {number} for {shown['store']}: {shown['state']}{granted}.", markup=False)


def _conditions(
    may: str | None,
    until: str | None,
    rate: int | None,
    idle_days: float | None,
    must_cite: bool | None,
) -> dict[str, Any]:
    """The conditions that were given, checked."""
    fields = {
        "may": may,
        "until": until,
        "rate": rate,
        "idle_days": idle_days,
        "must_cite": must_cite,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        StandingGrant.model_validate({"who": "everybody", **given})
    except ValidationError as error:
        raise InputRefused(mistakes(error)) from None
    return given


def _check_who(who: str) -> None:
    try:
        checked_who(who)
    except ValueError as error:
        raise InputRefused(f"WHO = {error}") from None


def _user() -> str:
    return f"user {pwd.getpwuid(os.getuid()).pw_name}"
