"""The learners of other libraries, with the same contexts and prices. `make bench-replay` installs
Vowpal Wabbit, MABWiser and ParetoBandit.

None of them knows prices and quality apart except ParetoBandit, so the others learn utility.
"""

import warnings
from typing import Any

import numpy as np
from river import bandit

from experiments.replay.outcomes import Matrix
from experiments.replay.players import certain, even
from experiments.replay.playing import COST, Vector
from experiments.replay.streams import Stream
from learner.policy import Context


class RiverLinUCB:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.policy: Any = bandit.LinUCBDisjoint(alpha=0.5, seed=stream.seed)
        self.dear = COST * stream.outcomes.dearness
        self._arms: list[int | str] = list(range(len(stream.outcomes.arms)))

    def odds(self, step: int) -> Vector:
        arm = self.policy.pull(self._arms, context=self._context(step))
        return certain(arm, self.stream.outcomes)

    def answer(self, step: int, arm: int) -> None: ...

    def learn(self, step: int, arm: int, quality: float) -> None:
        self.policy.update(arm, self._context(step), quality - self.dear[arm])

    def _context(self, step: int) -> Context:
        return {"bias": 1.0, **self.stream.context(step)}


class VowpalWabbit:
    """Vowpal Wabbit's `squarecb`, with features for each pair of arm and context."""

    def __init__(self, stream: Stream) -> None:
        import vowpalwabbit  # Only `make bench-replay` installs it.

        self.stream = stream
        self.vw = vowpalwabbit.Workspace(
            "--cb_explore_adf --squarecb --gamma_scale 100 -q SA --quiet "
            f"--random_seed {stream.seed} --cb_type mtr"
        )
        self.dear = COST * stream.outcomes.dearness
        self.chances: dict[int, Vector] = {}

    def odds(self, step: int) -> Vector:
        weights = self.vw.predict(self._example(step))
        odds: Vector = np.array(weights) / sum(weights)
        self.chances[step] = odds
        return odds

    def answer(self, step: int, arm: int) -> None: ...

    def learn(self, step: int, arm: int, quality: float) -> None:
        # By default, Vowpal Wabbit expects costs between 0 and 1.
        cost = min(max(1 + self.dear[arm] - quality, 0.0), 1.0)
        chance = max(self.chances.pop(step)[arm], 1e-3)
        self.vw.learn(self._example(step, arm, f"0:{cost:.6f}:{chance:.6f}"))

    def _example(self, step: int, chosen: int = -1, label: str = "") -> list[str]:
        def feature(name: str, value: float) -> str:
            return f"{name.replace('=', '_').replace(':', '_').replace(' ', '_')}:{value:.5f}"

        context = self.stream.context(step)
        shared = "shared |S " + " ".join(feature(n, v) for n, v in context.items())
        count = len(self.stream.outcomes.arms)
        return [shared, *(f"{label if at == chosen else ''} |A arm{at}" for at in range(count))]


class MabWiserLinTS:
    def __init__(self, stream: Stream) -> None:
        from mabwiser.mab import MAB, LearningPolicy  # Only `make bench-replay` installs it.

        self.stream, self.rows = stream, rows_of(stream)
        arms = list(range(len(stream.outcomes.arms)))
        self.mab = MAB(arms, LearningPolicy.LinTS(alpha=0.3), seed=stream.seed)
        self.dear = COST * stream.outcomes.dearness
        self.begun = False

    def odds(self, step: int) -> Vector:
        if not self.begun:
            return even(self.stream.outcomes)
        return certain(self.mab.predict(self.rows[[step]]), self.stream.outcomes)

    def answer(self, step: int, arm: int) -> None: ...

    def learn(self, step: int, arm: int, quality: float) -> None:
        row, reward = self.rows[[step]], [quality - self.dear[arm]]
        if self.begun:
            self.mab.partial_fit([arm], reward, row)
        else:
            self.mab.fit([arm], reward, row)
            self.begun = True


class ParetoBandit:
    """ParetoBandit from a cold start, with the settings that its authors found best for that.

    Its prices are such that its penalty equals the cost term of utility. With `own_features`, it
    sees prompts as its page advises: by its own 25 directions of the sentence vector.
    """

    def __init__(self, stream: Stream, *, own_features: bool = False) -> None:
        from pareto_bandit import BanditRouter  # Only `make bench-replay` installs it.
        from pareto_bandit.config import BEST_K3_TABULA_RASA_HPARAMS as BEST
        from pareto_bandit.feature_service import FeatureService
        from pareto_bandit.types import RouterConfig

        self.stream = stream
        self.rows = _directions(stream) if own_features else np.roll(rows_of(stream), -1, axis=1)
        dearness = stream.outcomes.dearness
        span = max(float(dearness.max()), 1.0)  # orders of magnitude between floor and ceiling
        config = RouterConfig(market_cost_floor=1e-4, market_cost_ceiling=1e-4 * 10**span)
        usd_per_m = 0.1 * 10**dearness
        self.router: Any = BanditRouter.create(
            model_registry={
                f"m{at}": {"input_cost_per_m": float(usd), "output_cost_per_m": float(usd)}
                for at, usd in enumerate(usd_per_m)
            },
            priors="none",
            feature_service=FeatureService.for_precomputed(self.rows.shape[1]),
            alpha=BEST["alpha"],
            forgetting_factor=BEST["forgetting_factor"],
            bandit_seed=stream.seed,
            cost_penalty=COST * span,
            config=config,
        )
        self.ids: dict[int, str] = {}

    def odds(self, step: int) -> Vector:
        model, log = self.router.route(self.rows[step])
        self.ids[step] = log.request_id
        return certain(int(model[1:]), self.stream.outcomes)

    def answer(self, step: int, arm: int) -> None: ...

    def learn(self, step: int, arm: int, quality: float) -> None:  # noqa: ARG002
        self.router.process_feedback(self.ids.pop(step), reward=quality)


def _directions(stream: Stream) -> Matrix:
    """Sentence vectors along the directions that ParetoBandit ships, scaled as it scales them."""
    import joblib  # type: ignore[import-untyped]
    from pareto_bandit.config import DEFAULT_PCA_PATH

    with (
        warnings.catch_warnings()
    ):  # It was written by an older scikit-learn; only arrays are used.
        warnings.simplefilter("ignore")
        pca = joblib.load(DEFAULT_PCA_PATH)
    scaled = pca.transform(stream.outcomes.vectors) / np.sqrt(pca.explained_variance_)
    return np.hstack([scaled, np.ones((len(scaled), 1))])


def rows_of(stream: Stream) -> Matrix:
    """The contexts as rows of numbers, the first of them 1."""
    contexts = [stream.context(step) for step in range(len(stream))]
    names = sorted({name for context in contexts for name in context})
    index = {name: at + 1 for at, name in enumerate(names)}
    rows = np.zeros((len(contexts), len(names) + 1))
    rows[:, 0] = 1.0
    for row, context in zip(rows, contexts, strict=True):
        for name, value in context.items():
            row[index[name]] = value
    return rows
