"""Which figures are read from whose words, and that no clause of a request is passed over."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from sandbox.contradictions import contradiction
from sandbox.request import read
from sandbox.spec import Spec
from tests.sandbox.paraphrases import line
from tests.sparing import slow_after

CLAUSES = json.loads((Path(__file__).parent / "clauses_of_figures.json").read_text())
TABLE = "dept,salary\nSales,32000\nIT,41000\nSales,35500\nHR,30000\n\n"


def described(spec: Spec) -> str:
    """The figures of a spec, and the changes of its data before them."""
    changes = "".join(f" [{_change(asdict(change))}]" for change in spec.changes)
    return line(spec) + changes


def _change(change: dict[str, object]) -> str:
    kind, column, values = change.pop("kind"), change.pop("column"), change.pop("values")
    rest = [f"{k}={v:g}" for k, v in change.items() if v not in (None, False)]
    return " ".join(map(str, (kind, column or "-", *rest, *(values or ()))))  # type: ignore[misc]


READ = [
    # context first, the question last
    ("The wait times in minutes at our clinic last Tuesday were 12, 15, 20, 31. What's the average wait?", "mean"),
    ("Mr Hale's systolic readings this week were 142, 138, 151, 147, 139, 144 and 150 mmHg. What is his average, and the sample standard deviation?", "sd(Hale's systolic readings this week)"),
    ("Seven teachers rated burnout before and after the workshop. Before: 72, 65, 80, 77, 69, 74, 70. After: 75, 66, 84, 78, 74, 73, 76 (same order, same people). Paired t-test please, p-value two-tailed.", "ttest_paired"),
    ("Battery life in hours. Brand X: 9.8 10.4 11.1 9.5 10.9. Brand Y: 8.9 9.7 9.1 10.0 8.6. Do they differ on average? Two-sample t-test, give me the two-sided p-value.", "ttest"),
    ("Three teaching methods, five pupils each.\n- lecture: 78, 82, 75, 80, 85\n- project: 88, 91, 84, 90, 87\n- video: 72, 79, 74, 70, 77\nOne-way ANOVA, F and p value", "anova"),
    ("takings this week: Mon £412, Tue £388, Wed £455, Thu £501, Fri £690, Sat £1,024. whats my average per day?", "mean"),
    # names and values
    ("Sales: Mon 12, Tue 15, Wed 20, Thu 9. Which day has the highest sales?", "largest(Sales; names=name)"),
    ("Ana 12, Ben 15, Cleo 9. Who has the lowest score?", "smallest(x1; names=name)"),
    ("rank these from best to worst: Ana 12, Ben 15, Cleo 9", "ranking(x1; descending=True, names=name)"),
    ("Visits: Jan 1,240, Feb 1,390, Mar 1,105, Apr 1,610. What was the biggest month-on-month rise in percent?", "greatest_change(Visits; falling=False, names=name, percent=True)"),
    # figures of one list
    ("Sort 5, 3, 9, 1 in descending order", "sorted(x1; descending=True)"),
    ("Put these in order from smallest to largest: 5, 3, 9, 1", "sorted(x1; descending=False)"),
    ("How many of these are above 20: 12, 25, 31, 8, 20, 22?", "count_where(x1; low=20, low_open=True)"),
    ("What percentage of the values 12, 25, 31, 8 are at least 20?", "percentage_where(x1; low=20)"),
    ("3-day moving average of 10, 12, 14, 13, 15, 18", "moving_average(x1; window=3)"),
    ("z-score of 85 given 70, 75, 80, 85, 90", "z_score(x1; value=85)"),
    ("20% trimmed mean of 1, 2, 3, 4, 100", "trimmed_mean(x1; cut=0.2)"),
    ("percent change from first to last: 100, 120, 150", "growth_percent"),
    ("Weighted average of grades 85, 90, 78 with weights 0.2, 0.3, 0.5", "weighted_mean(x1; weights=weights)"),
    ("sum of the squares of 3, 4, 5", "sum_of_squares"),
    ("95% confidence interval for the mean of 5.1, 4.9, 6.2", "ci(x1; level=0.95)"),
    ("Sold prices on my street: $312,400, $287,900 and $341,800. Mean, rounded to the nearest thousand.", ".-3"),
    ("Coefficient of variation, as a percentage and with the sample sd, of monthly bills $210, $195, $240", "cv_percent"),
    # changes of the data
    ("mean of 3, 5, 8, 100 excluding the largest value", "[drop_largest x1 amount=1]"),
    ("Here are my scores: 88, 92, 79, 93, 85. What is my average if the lowest is dropped?", "[drop_smallest x1 amount=1]"),
    ("Average of the top 3 scores: 88, 92, 79, 93, 85", "[keep_largest x1 amount=3]"),
    ("Compute the mean of the first 3 values: 4, 8, 15, 16, 23", "[keep_first x1 amount=3]"),
    ("average of the even numbers in 1, 2, 3, 4, 6", "[keep_even x1]"),
    ("mean of the squares of 3, 4, 5", "[power x1 amount=2]"),
    ("I want to add a bonus of 10 points to each of these grades but nobody may exceed 100: 62, 95, 78. What's the new class mean?", "[add x1 amount=10] [cap x1 amount=100]"),
    (TABLE + "what's the mean salary in Sales only", "mean(salary) [keep_values dept Sales]"),
    (TABLE + "mean salary without HR", "mean(salary) [drop_values dept HR]"),
    (TABLE + "which dept has the highest salary?", "largest(salary; names=dept)"),
    ("name,age,score\nAna,25,80\nBen,35,70\nCleo,45,90\naverage score of people older than 30", "mean(score) [keep_where age low=30 low_open=1]"),
    # tests and regressions
    ("One-sided t-test: is A greater than B? A: 23, 25, 28, 30, 32. B: 31, 33, 35, 30, 36.", "ttest(A, B; alternative=greater)"),
    ("Is there a significant difference between control = [5.1, 4.9, 5.6] and drug = [6.1, 6.4, 5.9]? Use a t-test.", "ttest(control, drug; alpha=0.05)"),
    ("t-test of A: 5, 6, 7, 9 and B: 7, 9, 8, 8 assuming equal variances at the 1% level", "ttest(A, B; alpha=0.01, equal_var=True)"),
    ("one sample t test: 5.1, 4.9, 5.6, 5.8, 5.2, mu = 5, one-tailed greater", "ttest_one(x1; alternative=greater, mu=5)"),
    ("confidence interval for the difference in means, A = 5, 6, 7, 8 and B = 3, 4, 4, 5", "ci_difference(A, B; level=0.95)"),
    ("Levene's test for 5, 6, 7, 8 and 3, 4, 4, 15", "levene(x1, x2)"),
    ("F-test for equality of variances: [5, 6, 7, 8] vs [3, 4, 4, 15]", "f_test"),
    ("Fisher's exact test on [[8, 2], [1, 5]]", "fisher(row 1, row 2)"),
    ("chi-square test on the table [[20, 30], [25, 25]] without Yates correction", "chi2_table(row 1, row 2; yates=False)"),
    ("Observed: 18, 22, 20, 40. Expected: 25, 25, 25, 25. Chi-square goodness of fit.", "chi2_fit(observed, expected)"),
    ("hours: 1, 2, 3, 4, 5; score: 52, 58, 61, 70, 74. Predict the score for 6 hours using linear regression.", "regression(score, hours; at=6)"),
    ("slope of the best fit line through (1, 2), (2, 3), (3, 5)", "regression(y, x)"),
    ("height weight\n170 65\n180 80\n165 61\nwhat is the correlation?", "correlation(height, weight)"),
    ("ad spend 1.2k, 2k, 2.5k, 3.1k gave sales of 14k, 19.5k, 22k, 27.5k. linear fit of sales on spend, need slope + R2", "regression"),
    ('{"op": "linear_regression", "x": [1,2,3], "y": [3.1,4.9,7.2], "return": ["slope", "r2"]}', "regression(y, x)"),
    ("Cronbach's alpha for a 4-item scale, rows are respondents:\n4 5 4 4\n2 3 2 3\n5 5 4 5\n3 3 4 3", "cronbach_alpha"),
    # in Spanish
    ("Mis notas fueron 7, 8, 9, 6 y 10. ¿Cuál es mi promedio?", "mean(x1)"),
    ("¿Cuál es la desviación estándar poblacional de 2, 4, 4, 4, 5, 5, 7, 9?", "sd(x1; ddof=0)"),
    ("promedio de estos contratos sin contar el más chico: $3.2M, $4.75M, $1.9M y $2.05M", "[drop_smallest x1 amount=1]"),
    ("Duración de pilas en horas. Marca X: 9,8; 10,4; 11,1. Marca Y: 8,9; 9,7; 9,1. ¿Difieren en promedio? Quiero el valor p bilateral de una prueba t de dos muestras.", "ttest(Marca X, Marca Y)"),
    ("¿Cuántos de estos valores son mayores que 20? 12, 25, 31, 8", "count_where(x1; low=20, low_open=True)"),
    ("Regresión lineal de ventas sobre gasto. gasto: 1, 2, 3, 4; ventas: 10, 12, 15, 19", "regression(ventas, gasto)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "part"), READ)
def test_a_request_is_read(text: str, part: str):
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    assert part in described(interpretation.spec)
    assert contradiction(interpretation.spec) == ""


REFUSED = [
    ("mean of 3, 5 and 9 plus 10", "`plus`"),
    ("mean of 3, 5, 9, squared", "`squared`"),
    ("winsorized mean of 3, 5, 9, 100", "`winsorized`"),
    ("average speed if distances are 10, 20, 30", "`speed` is another quantity"),
    ("The population was 100, 120, 150. What is the average growth?", "`growth` is another quantity"),
    ("Calculate the mean of $12.50, $7.50 and $30 in euros", "`in euros`"),
    ("Draft an email saying the average wait was 12, 15 and 20", "`Draft`"),
    ("summarise: sales were 12, 15, 20 and the average was 15.7", "`summarise`"),
    ("explain the mean of 3, 4, 5", "`explain`"),
    ("Correlation between these please. hours: 2, 4, 6, 8, 10 / marks: 51, 60, 68, 77", "different lengths"),
    ("t-test of A: 5, 6, 7, 9 and B: 7, 9, 8, 8, one-sided", "which is greater"),
    ("Paired t-test on a = [1, 2, 4] and b = [2, 2, 5], equal variances", "no variances to compare"),
    ("weighted mean of 3, 5, 8, 9 with weights 1, 2, 3", "as many weights"),
    ("spend vs sales in $k:\n2 -> 21\n3 -> 27\n5 -> 39\nlinear regression, predict at x = $7.5k", "lies far from the data"),
    ("Find the correlation between x = [1, 2, 3] and y = [2, 4, 5], without the smallest value", "a single column only"),
    ("Compute the interquartile mean of 3, 4, 50", "`interquartile`"),
    ("sum of cubes of 3, 4, 5", "`cubes`"),
    ("largest gap in 3, 4, 50", "`gap` is another quantity"),
    ("median-of-medians of 3, 4, 50", "the median of the median"),
    ("mean and its p-value for 3, 4, 50", "`p - value`"),
    ("What is the average on weekends? Mon 3, Tue 4, Sat 9, Sun 10", "`weekends`"),
    ("How many values are within one standard deviation of the mean: 2, 4, 6, 20?", "`within`"),
    ("sd of values 1, 2, 3 with frequencies 5, 3, 2", "frequencies"),
    ("scores 70, 80, 90 with 5, 3, 2 students. mean?", "`with` relates the lists"),
    ("What is the mean, and the mean without the largest, of 3, 5, 90?", "every figure"),
    ("Assume 3, 4, 50 are logs. Mean?", "whether the list holds the logs"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "word"), REFUSED)
def test_what_is_not_understood_is_named(text: str, word: str):
    interpretation = read(text)
    assert interpretation.spec is None, interpretation.spec
    assert word in "; ".join(interpretation.reasons)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("correlation of x = [1, 1, 1] and y = [2, 3, 4]", "too few, or all equal"),
        ("geometric mean of 3, -1, 4", "values below 0"),
        ("mean of 2, 4, 8 of the odd ones", "has no values"),
        ("standard deviation of the first 1 values: 4, 8, 15", "needs two values"),
    ],
)
def test_figures_that_the_data_cannot_have_are_named(text: str, says: str):
    spec = read(text).spec
    assert spec is not None, read(text).reasons
    assert says in contradiction(spec)


BASES = [
    "What is the mean of 3, 5, 8, 9, 12",
    "Median and standard deviation of [12, 15, 12, 18, 20]",
    "The wait times in minutes at our clinic last Tuesday were 12, 15, 20, 31. What's the average wait",
    "Welch t-test of A: 23, 25, 28, 30, 32 and B: 31, 33, 35, 30, 36",
    "Fit a linear regression of y on x: x = [1,2,3,4], y = [2,4,6.5,8]",
    "Find the correlation between x = [1,2,3,4,5] and y = [2,4,5,4,5]",
    TABLE + "what's the mean salary by dept",
    "Sales: Mon 12, Tue 15, Wed 20, Thu 9. Which day has the highest sales",
    "Total of $12.50, $7.50, $30",
    "Perform a one-sample t-test of [5.1, 4.9, 5.6, 5.8] against a mean of 5",
    "Frequency table of 1, 2, 2, 3",
    "95% confidence interval for the mean of 5.1, 4.9, 6.2",
    "ANOVA on g1 = [85, 86, 88], g2 = [91, 92, 93], g3 = [79, 78, 88]",
    "chi-square test of independence for [[30, 10, 20], [20, 25, 15]]",
    "How many of 12, 25, 31, 8 are above 20",
    "Paired t-test on before = [120, 130, 125, 140] and after = [115, 128, 120, 135]",
    "predict y at x = 10 by linear regression, x = [1,2,3,4] and y = [2,4,6.5,8]",
    "What is the 90th percentile of [3, 7, 8, 5, 12]",
    "Mann-Whitney U test for x = [1, 4, 6, 8] and y = [2, 9, 10, 12]",
    "weighted mean of 80, 90, 70 with weights 1, 2, 3",
]  # fmt: skip


@pytest.mark.parametrize("text", slow_after(8, BASES))
def test_no_clause_is_passed_over(text: str):
    """Each clause changes what is read, or it is refused."""
    whole = read(text).spec
    assert whole is not None, read(text).reasons
    passed = [clause for clause in CLAUSES if read(f"{text}, {clause}").spec == whole]
    assert passed == []
