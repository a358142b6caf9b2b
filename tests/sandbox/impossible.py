"""Results that no computation gives. Each was once accepted as verified."""

IMPOSSIBLE: tuple[tuple[str, dict[str, object]], ...] = (
    (
        "Linear regression of y = [2.1, 3.9, 6.2, 7.8, 10.1] on x = [1, 2, 3, 4, 5]",
        {"regression": {"slope": -99.0, "intercept": 1.0, "r2": 7.0}},
    ),
    (
        "What's the 90th percentile of 12, 15, 17, 20, 22, 25, 28, 31, 35, 41?",
        {"quantile_0.9": -1.0},
    ),
    (
        "95% confidence interval for the mean of 10.2, 9.8, 10.5, 10.1, 9.9, 10.3",
        {"confidence_interval": {"low": 50.0, "high": -3.0, "mean": 1.0}},
    ),
    ("One-way ANOVA for groups [5, 6, 7, 5], [8, 9, 7, 8] and [4, 3, 5, 4]", {"x": 0.0}),
    ("Find the mode of 4, 2, 4, 3, 2, 4, 1", {"mode": 3}),
    ("geometric mean of 2, 8 and 32", {"geometric_mean": 1000.0}),
    (
        "Run a chi-square test of independence on [[30, 10], [20, 40]]",
        {"chi2": {"statistic": 0.0, "p_value": 1.0, "dof": 99}},
    ),
)
