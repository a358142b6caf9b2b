"""Budgets against a model: routers that reserve, settle, return, lose replies and are killed.

Two routers share a hive that may restart. At every moment, what is used stays within the limits,
but for the error of one estimate. Once nothing is under way, all that was not used can be granted
again. Not covered, as the hive says: a router that is killed in the same minute in which the hive
restarts.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from router.budgets import NOTHING, Amounts, Claim, Moment
from router.config.server import KeyLimits
from router.engine.account import Account, Reservation
from router.hive import HiveNotReady, HiveState, News
from tests.budgets import NOON, save
from tests.sparing import draws

LIMITS = KeyLimits(
    requests_per_minute=5, tokens_per_minute=400, dollars_per_day=0.4, dollars_per_month=0.35
)
DUST = 1e-9
amounts = st.builds(
    Amounts.spent, st.integers(1, 200), st.floats(0.001, 0.2, allow_subnormal=False)
)


@dataclass
class Router:
    name: str
    account: Account = field(default_factory=lambda: Account("k", LIMITS))
    open: list[tuple[Reservation, Amounts]] = field(default_factory=list)
    hive_name: str = ""


class Budgets(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.folder = TemporaryDirectory()
        self.ledger = Path(self.folder.name) / "ledger.json"
        self.hive = HiveState(self.ledger)
        self.now = NOON
        self.routers = [Router("a"), Router("b")]
        self.born, self.killed_at = 2, NOON - 75
        self.late = []
        self.errors = []  # by how much each call with less than its most exceeded what it held
        self.uses = []  # the time and the amount of everything that was used

    def teardown(self):
        if hasattr(self, "folder"):
            self.nothing_is_leaked()
            self.folder.cleanup()

    @property
    def moment(self):
        return Moment(self.now, self.now)

    def ask(self, router, claim, *, lost=False):
        report = router.account.report(router.name, self.moment, claim)
        try:
            lease = self.hive.lease("k", LIMITS, report, self.now)
        except HiveNotReady:
            return False
        if lost:  # the reply never arrives, and the report may arrive once more
            self.late.append(report)
            return False
        router.account.hear(lease, report, self.moment)
        router.account.unreported = False
        return lease.shortage is None

    @rule(index=st.integers(0, 1), lost=st.booleans())
    def admit(self, index, lost):
        router, claim = self.routers[index], Claim(Amounts(1), Amounts(1))
        if router.account.fits(claim) or self.ask(router, claim, lost=lost):
            router.account.take(claim)
            router.account.count(self.moment, Amounts(1))
            self.uses.append((self.now, Amounts(1)))

    @rule(index=st.integers(0, 1), most=amounts, part=st.floats(0, 1), lost=st.booleans())
    def reserve(self, index, most, part, lost):
        likely = Amounts.spent(int(most.tokens * part), most.usd * part)
        router, claim = self.routers[index], Claim(likely, most)
        if router.account.fits(claim) or self.ask(router, claim, lost=lost):
            router.open.append((router.account.hold(claim), most))

    @rule(index=st.integers(0, 1), part=st.floats(0, 1))
    def settle(self, index, part):
        router = self.routers[index]
        if not router.open:
            return
        reservation, most = router.open.pop(0)
        used = Amounts.spent(int(most.tokens * part), most.usd * part)
        if reservation.daring:  # it may exceed what was left by the error of its estimate
            over = used.less(reservation.held)
            self.errors.append((self.now, over))
        router.account.settle([reservation], used, self.moment)
        self.uses.append((self.now, used))
        self.ask(router, None)  # the settled cost is reported at once

    @rule(index=st.integers(0, 1))
    def exchange(self, index):
        router = self.routers[index]
        reply = self.hive.exchange(router.name, News(hive=router.hive_name), self.now)
        self.ask(router, None)
        router.hive_name = reply.hive

    @rule()
    def a_report_arrives_late(self):
        if self.late:
            report = self.late.pop()
            with suppress(HiveNotReady):
                self.hive.lease("k", LIMITS, report, self.now)

    @rule(seconds=st.sampled_from([0.3, 0.9, 5.0, 30.0]))
    def wait(self, seconds):
        # Routers that live are heard from every second.
        while seconds > 0:
            step = min(seconds, 1.0)
            self.now, seconds = self.now + step, seconds - step
            for index in (0, 1):
                self.exchange(index)

    @rule(index=st.integers(0, 1))
    def kill_router(self, index):
        """The calls under way end with the router: nobody learns what they used."""
        self.routers[index] = Router(f"r{self.born}")
        self.born += 1
        self.killed_at = self.now

    @rule()
    def restart_hive(self):
        if self.now < self.killed_at + 75:
            return
        for index in (0, 1):
            self.hive.exchange(self.routers[index].name, News(), self.now)
        save(self.hive)
        self.hive = HiveState(self.ledger)

    @invariant()
    def never_above(self):
        if not hasattr(self, "uses"):
            return
        recent = [used for at, used in self.uses if at > self.now - 60]
        tokens = max((over.tokens for at, over in self.errors if at > self.now - 60), default=0)
        usd = max((over.usd for _, over in self.errors), default=0.0)
        assert sum(used.requests for used in recent) <= LIMITS.requests_per_minute
        assert sum(used.tokens for used in recent) <= LIMITS.tokens_per_minute + tokens
        spent = sum(used.usd for _, used in self.uses)
        assert spent <= LIMITS.dollars_per_day + usd + DUST
        month_usd = max((over.month_usd for _, over in self.errors), default=0.0)
        assert spent <= LIMITS.dollars_per_month + month_usd + DUST

    def nothing_is_leaked(self):
        """When every call has ended, all that was not used can be granted again."""
        for index in (0, 1):
            while self.routers[index].open:
                self.settle(index, 0.5)
        for _ in range(75):  # a minute passes, and the leases of the dead end
            self.wait(1.0)
        for router in self.routers:
            assert router.account.free == NOTHING
        spent = sum(used.usd for _, used in self.uses)
        left = self.routers[0].account.left
        assert left.requests == LIMITS.requests_per_minute
        assert left.tokens == LIMITS.tokens_per_minute
        assert abs(left.usd - max(LIMITS.dollars_per_day - spent, 0)) < DUST
        assert abs(left.month_usd - max(LIMITS.dollars_per_month - spent, 0)) < DUST


Budgets.TestCase.settings = settings(draws(100), stateful_step_count=60)
test_budgets_hold_against_the_model = Budgets.TestCase
