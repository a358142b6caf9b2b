"""Alerts: what a webhook is told, and when."""

from typing import Annotated, Literal

from pydantic import Field

from router.config.values import Seconds, Secret, Values

AlertKind = Literal["budget", "breaker", "drift", "rollback", "error_rate"]
ALERT_KINDS: tuple[AlertKind, ...] = ("budget", "breaker", "drift", "rollback", "error_rate")
Share = Annotated[float, Field(gt=0, le=1)]


class Alerts(Values):
    """The webhook that is told what an operator must know; without `url`, nobody is told."""

    url: Secret | None = Field(None, description="address of the webhook, http or https")
    secret: Secret | None = Field(None, description="signs each alert; null: no signature")
    on: tuple[AlertKind, ...] = Field(ALERT_KINDS, description="what is told; default: everything")
    budget: tuple[Share, ...] = Field(
        (0.8, 1.0), description="shares of a budget of dollars at which it is told"
    )
    error_rate: Share = Field(0.1, description="share of answers with a status of 500 or more")
    error_seconds: Seconds = Field(300.0, description="the span that the share is taken over")
    error_requests: int = Field(20, ge=1, description="fewest requests in that span")
    quiet_seconds: Seconds = Field(900.0, description="how long the same news is not told again")
