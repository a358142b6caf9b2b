"""Functions that a generated program may contain; each program gets the functions that it calls."""

from collections.abc import Mapping

HELPERS: Mapping[str, list[str]] = {
    "within": '''
def within(draw, low, high):
    """n draws; a draw outside the bounds is repeated."""
    drawn = draw(n)
    for _ in range(10_000):
        outside = (drawn < low) | (drawn > high)
        if not outside.any():
            return drawn
        drawn[outside] = draw(outside.sum())
    raise ValueError(f"hardly any values lie between {low} and {high}")

'''.lstrip("\n").split("\n"),
    "distinct": '''
def distinct(drawn, draw):
    """The draws without duplicates: a duplicate is drawn again."""
    for _ in range(10_000):
        _, first = np.unique(drawn, return_index=True)
        again = np.setdiff1d(np.arange(n), first)
        if not len(again):
            return drawn
        drawn[again] = draw()[: len(again)]
    raise ValueError("there are not enough different values")

'''.lstrip("\n").split("\n"),
    "following": '''
def following(x, r):
    """A column around 1 that follows x, with so much noise that their correlation is r."""
    noise = rng.standard_normal(n)
    if r <= 0 or x.min() <= 0:
        z = (x - x.mean()) / x.std()
        noise -= noise.mean() + z * (z * noise).mean()
        return 1 + 0.2 * (r * z + np.sqrt(1 - r * r) * noise / noise.std())
    little, much = 0.0, 10.0
    for _ in range(60):
        middle = (little + much) / 2
        y = x * np.exp(middle * noise)
        little, much = (middle, much) if np.corrcoef(x, y)[0, 1] > r else (little, middle)
    return y / np.median(y)

'''.lstrip("\n").split("\n"),
    "together": '''
def together(columns, wanted):
    """The same values, reordered so that the columns correlate as wanted."""
    values = [np.sort(column) for column in columns]
    z = rng.standard_normal((n, len(columns)))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T
    latent = np.eye(len(columns))
    for _ in range(100):
        share, axes = np.linalg.eigh(latent)
        latent = (axes * np.maximum(share, 1e-6)) @ axes.T
        latent /= np.sqrt(np.outer(np.diag(latent), np.diag(latent)))
        drawn = z @ np.linalg.cholesky(latent).T
        order = np.argsort(np.argsort(drawn, axis=0), axis=0)
        ordered = [column[order[:, i]] for i, column in enumerate(values)]
        worst = 0.0
        for i, j, r in wanted:
            missing = r - np.corrcoef(ordered[i], ordered[j])[0, 1]
            latent[i, j] = latent[j, i] = np.clip(latent[i, j] + 0.7 * missing, -0.9999, 0.9999)
            worst = max(worst, abs(missing))
        if worst < 5e-4:
            break
    return ordered

'''.lstrip("\n").split("\n"),
}
