"""`waggle alerts`: sends a test alert to the webhook, and shows what waits to be sent."""

import time
from typing import Annotated

import typer

from router.alerts.alert import Alert, payload
from router.alerts.outbox import Outbox
from router.alerts.watch import ALERTS_FILE, id_of, read_outbox, service_name
from router.alerts.webhook import NotSent, Webhook
from router.cli.context import CommandContext, in_context
from router.cli.terminal import CommandRefused, InputRefused, out

alerts_app = typer.Typer(
    name="alerts", help="Alerts: what the webhook of an operator is told.", no_args_is_help=True
)


@alerts_app.command("test")
@in_context
def send_test_alert(
    here: CommandContext,
    text: Annotated[str, typer.Option(help="The words of the alert.")] = "This is a test.",
) -> None:
    """Send a test alert to the configured webhook, from this machine and at once.

    The variables that `alerts.url` and `alerts.secret` name must be in this environment too.
    """
    config = here.config_in_force
    try:
        webhook = Webhook.of(config.alerts)
    except (LookupError, ValueError) as error:
        raise InputRefused(str(error.args[0])) from None
    if webhook is None:
        raise InputRefused("alerts.url is not set", 'write e.g. alerts: {url: "${ALERTS_URL}"}')
    now = time.time()
    alert = Alert("breaker", "test", "test", text, now, level="good")
    try:
        webhook.send(payload(alert, service_name(config)), alert_id=id_of(alert), now=now)
    except NotSent as error:
        raise CommandRefused(f"the alert was not taken: {error}") from None
    signed = "signed" if webhook.secret else "not signed: alerts.secret is not set"
    out.print(f"{webhook.host} took the alert ({signed}).", markup=False)


@alerts_app.command("status")
@in_context
def alerts_status(here: CommandContext) -> None:
    """Show which alerts wait to be sent, and which were sent last."""
    outbox = read_outbox(here.config.data / ALERTS_FILE) or Outbox()
    for alert in outbox.waiting:
        out.print(f"waits: {_when(alert.at)} {alert.text}", markup=False)
    waiting = {alert.key for alert in outbox.waiting}
    sent = [(at, key) for key, at in outbox.sent.items() if key not in waiting]
    for at, key in sorted(sent)[-20:]:
        out.print(f"sent:  {_when(at)} {key}", markup=False)
    if not outbox.waiting and not sent:
        out.print("No alert was sent, and none waits.")
    if outbox.dropped:
        out.print(f"{outbox.dropped} alerts found no room: the webhook did not take any for long.")


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
