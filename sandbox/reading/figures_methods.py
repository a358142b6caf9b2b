"""The figures that a request may ask for: by concept, the method and what data it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.reading.lexicon import plain
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood

Takes = Literal[
    "one", "any", "pair", "t test", "two", "many", "chi2", "regression", "row", "where", "names"
]


@dataclass(frozen=True, slots=True)
class Method:
    """A figure, and the data it takes: a column, a pair, samples, or rows with names."""

    name: str
    takes: Takes = "one"


METHODS: Mapping[str, Method] = {
    "figure_slope_interval": Method("slope_interval", "regression"),
    "figure_slope_error": Method("slope_error", "regression"),
    "figure_regression": Method("regression", "regression"),
    "figure_slope": Method("slope", "regression"),
    "figure_intercept": Method("intercept", "regression"),
    "figure_r2": Method("r2", "regression"),
    "figure_coefficients": Method("coefficients", "regression"),
    "figure_residuals": Method("residuals", "regression"),
    "figure_predict": Method("predict", "regression"),
    "figure_quadratic": Method("quadratic", "regression"),
    "figure_origin": Method("origin", "regression"),
    "figure_t_paired": Method("paired", "t test"),
    "figure_t_one": Method("one", "t test"),
    "figure_t_two": Method("two", "t test"),
    "figure_t_welch": Method("welch", "t test"),
    "figure_t_pooled": Method("pooled", "t test"),
    "figure_t_test": Method("t", "t test"),
    "figure_anova": Method("anova", "many"),
    "figure_kruskal": Method("kruskal", "many"),
    "figure_levene": Method("levene", "many"),
    "figure_mannwhitney": Method("mannwhitney", "two"),
    "figure_ks": Method("ks_two", "two"),
    "figure_f_test": Method("f_test", "two"),
    "figure_cohen": Method("cohens_d", "two"),
    "figure_mean_difference": Method("mean_difference", "two"),
    "figure_wilcoxon": Method("wilcoxon", "pair"),
    "figure_sign": Method("sign_test", "pair"),
    "figure_spearman": Method("spearman", "pair"),
    "figure_kendall": Method("kendall", "pair"),
    "figure_correlation": Method("correlation", "pair"),
    "figure_covariance": Method("covariance", "pair"),
    "figure_fisher": Method("fisher", "chi2"),
    "figure_chi2": Method("chi2", "chi2"),
    "figure_independence": Method("independence", "chi2"),
    "figure_fit": Method("fit", "chi2"),
    "figure_shapiro": Method("shapiro"),
    "figure_ci": Method("ci"),
    "figure_margin": Method("margin_of_error"),
    "figure_sem": Method("sem"),
    "figure_cronbach": Method("cronbach_alpha", "row"),
    "figure_describe": Method("describe"),
    "figure_weighted": Method("weighted_mean"),
    "figure_geometric": Method("geometric_mean"),
    "figure_harmonic": Method("harmonic_mean"),
    "figure_rms": Method("root_mean_square"),
    "figure_trimmed": Method("trimmed_mean"),
    "figure_moving": Method("moving_average"),
    "figure_cumulative": Method("cumulative_sum"),
    "figure_mad": Method("mad"),
    "figure_mean_deviation": Method("mean_deviation"),
    "figure_deviation_squares": Method("sum_of_squared_deviations"),
    "figure_squares": Method("sum_of_squares"),
    "figure_deviations": Method("deviations"),
    "figure_zscore": Method("z_score", "names"),
    "figure_percentile_rank": Method("percentile_rank", "names"),
    "figure_above_mean": Method("above_mean", "names"),
    "figure_below_mean": Method("below_mean", "names"),
    "figure_from_mean": Method("from_mean", "names"),
    "figure_by_percent": Method("by_percent", "names"),
    "figure_cagr": Method("growth_per_step"),
    "figure_compound_mean": Method("compound_mean_percent"),
    "figure_gini": Method("gini"),
    "figure_growth": Method("growth_percent"),
    "figure_changes": Method("percent_changes"),
    "figure_differences": Method("differences"),
    "figure_percent_of_total": Method("percent_of_total", "names"),
    "figure_ranking": Method("ranking", "names"),
    "figure_sort": Method("sorted"),
    "figure_best_first": Method("descending"),
    "figure_worst_first": Method("ascending"),
    "figure_ascending": Method("ascending"),
    "figure_descending": Method("descending"),
    "figure_frequencies": Method("frequencies", "any"),
    "figure_missing": Method("missing", "any"),
    "figure_mode": Method("mode", "any"),
    "figure_outliers": Method("outliers"),
    "figure_cv": Method("cv"),
    "sd": Method("sd"),
    "variance": Method("variance"),
    "figure_iqr": Method("iqr"),
    "figure_two_quartiles": Method("first and third quartile"),
    "figure_quartile": Method("quartile"),
    "figure_quartiles": Method("quartiles"),
    "figure_deciles": Method("deciles"),
    "figure_first_quartile": Method("first quartile"),
    "figure_third_quartile": Method("third quartile"),
    "figure_percentile": Method("percentile"),
    "figure_quantile": Method("quantile"),
    "figure_skewness": Method("skewness"),
    "figure_kurtosis": Method("kurtosis"),
    "figure_median": Method("median"),
    "figure_range": Method("range"),
    "figure_second": Method("second_largest", "names"),
    "figure_second_lowest": Method("second_smallest", "names"),
    "figure_minimum": Method("minimum", "names"),
    "figure_maximum": Method("maximum", "names"),
    "figure_product": Method("product"),
    "figure_count": Method("count"),
    "figure_share_of": Method("share_where", "where"),
    "figure_how_many": Method("count_where", "where"),
    "figure_sum": Method("sum"),
    "mean": Method("mean"),
}
ASKING = frozenset(METHODS)
METHODS_OF_ONE = {method.name: method.takes for method in METHODS.values()}
TESTS = frozenset(
    "t test,anova,kruskal,levene,mannwhitney,ks_two,f_test,wilcoxon,sign_test,shapiro,chi2,fisher,"
    "independence,fit,spearman,kendall,correlation".split(",")
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A word of the request that asks for a figure."""

    place: int
    method: Method

    @property
    def name(self) -> str:
        return "t test" if self.method.takes == "t test" else self.method.name


def claims(reader: Reader, skipped: frozenset[int]) -> list[Claim]:
    """The words that ask for figures, in their order; the reader has then taken them."""
    listed = []
    for place, token in enumerate(reader.tokens):
        if place in reader.taken or place in skipped or not token.concepts & ASKING:
            continue
        if is_unit(reader, place):
            reader.taken.add(place)
            continue
        for concept, method in METHODS.items():
            if token.means(concept):
                listed.append(Claim(place, method))
                break
    return listed


def is_unit(reader: Reader, place: int) -> bool:
    """Whether `min` stands for minutes: `waits (min)`, `5 min`, `in min`."""
    if plain(reader.tokens[place].text) not in ("min", "max"):
        return False
    before = reader.tokens[place - 1] if place else None
    after = reader.tokens[place + 1] if place + 1 < len(reader.tokens) else None
    if before is None:
        return False
    bracketed = before.stem == "(" and after is not None and after.stem in (")", ":", "/")
    return bracketed or before.kind in ("number", "list") or plain(before.text) in ("in", "en")


def level(reader: Reader) -> float | None:
    """The stated level of a test: `at the 5% level`, `alpha = 0.05`, `95% confidence`."""
    for place in reader.places("figure_level", "figure_significant", "figure_confidence"):
        number = near(reader, place)
        if number is None:
            continue
        value = reader.tokens[number].value
        sure = reader.tokens[place].means("figure_confidence")
        reader.taken.update((place, number))
        value = value / 100 if value >= 1 else value
        if not 0 < value < 1:
            raise NotUnderstood(f"{reader.tokens[number].text} is no level of significance")
        return round(1 - value, 12) if sure else value
    for i in reader.free("number"):
        token = reader.tokens[i]
        if token.unit == "%" and i and plain(reader.tokens[i - 1].text) in ("at", "al"):
            return reader.at(i).value
    return None


def near(reader: Reader, place: int, *, span: int = 3, unit: str | None = None) -> int | None:
    """The number nearest to a place, if only small words and marks stand between."""
    for step in (-1, 1):
        i = place + step
        for _ in range(span):
            if not 0 <= i < len(reader.tokens):
                break
            token = reader.tokens[i]
            if token.kind == "number":
                if i not in reader.taken and (unit is None or token.unit == unit):
                    return i
                break
            if token.stem in ".?!,;\n" or token.kind == "list":
                break
            small = token.kind == "mark" or plain(token.text) in _SMALL or token.means("idle")
            if not small and not token.means("figure_level", "figure_significant"):
                break
            i += step
    return None


_SMALL = frozenset("of the is = : at a an with de del la el al es un una con nivel level".split())


def share(reader: Reader, places: Sequence[int]) -> float | None:
    """A share near one of the places: 20%, 0.2 or 20."""
    for place in places:
        number = near(reader, place)
        if number is not None:
            value = reader.at(number).value
            return value / 100 if value >= 1 else value
    return None
