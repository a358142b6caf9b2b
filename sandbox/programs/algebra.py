"""The programs for equations, matrices and arithmetic."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {
    "linear_system": """
def linear_system(matrix, constants, names, equations=()):
    solution = np.linalg.solve(np.array(matrix, dtype=float), np.array(constants, dtype=float))
    return dict(zip(names, (float(value) for value in solution)))
""",
    "quadratic": """
def quadratic(a, b, c, name):
    d = b * b - 4 * a * c
    if d < 0:
        return {"real_solutions": 0}
    if d == 0:
        return {name: -b / (2 * a)}
    roots = sorted([(-b - math.sqrt(d)) / (2 * a), (-b + math.sqrt(d)) / (2 * a)])
    return {f"{name}_1": roots[0], f"{name}_2": roots[1]}
""",
    "determinant": """
def determinant(rows):
    return {"determinant": float(np.linalg.det(np.array(rows, dtype=float)))}
""",
    "inverse": """
def inverse(rows):
    return {"inverse": np.linalg.inv(np.array(rows, dtype=float)).tolist()}
""",
    "eigenvalues": """
def eigenvalues(rows):
    values = np.linalg.eigvals(np.array(rows, dtype=float))
    return {"eigenvalues": sorted(float(value.real) for value in values)}
""",
    "transpose": """
def transpose(rows):
    return {"transpose": np.array(rows, dtype=float).T.tolist()}
""",
    "rank": """
def rank(rows):
    return {"rank": int(np.linalg.matrix_rank(np.array(rows, dtype=float)))}
""",
    "trace": """
def trace(rows):
    return {"trace": float(np.trace(np.array(rows, dtype=float)))}
""",
    "matrix_product": """
def matrix_product(first, second):
    return {"product": (np.array(first, dtype=float) @ np.array(second, dtype=float)).tolist()}
""",
    "dot_product": """
def dot_product(first, second):
    return {"dot_product": float(np.dot(np.array(first, dtype=float), np.array(second, dtype=float)))}
""",
    "matrix_sum": """
def matrix_sum(first, second):
    return {"sum": (np.array(first, dtype=float) + np.array(second, dtype=float)).tolist()}
""",
    "cube_root": """
def cube_root(number):
    return {"cube_root": float(np.cbrt(number))}
""",
    "ratio_parts": """
def ratio_parts(total, parts):
    return {"parts": [total * part / sum(parts) for part in parts]}
""",
    "log_ten": """
def log_ten(number):
    return {"log10": math.log10(number)}
""",
    "log_two": """
def log_two(number):
    return {"log2": math.log2(number)}
""",
    "log_natural": """
def log_natural(number):
    return {"ln": math.log(number)}
""",
    "remainder": """
def remainder(number, by):
    return {"remainder": int(number) % int(by), "quotient": int(number) // int(by)}
""",
    "arithmetic": """
def arithmetic(expression):
    return {"value": float(eval(expression))}
""",
    "gcd": """
def gcd(values):
    return {"gcd": math.gcd(*map(int, values))}
""",
    "lcm": """
def lcm(values):
    return {"lcm": math.lcm(*map(int, values))}
""",
    "prime_factors": """
def prime_factors(number):
    left, divisor, factors = int(number), 2, []
    while divisor * divisor <= left:
        while left % divisor == 0:
            factors.append(divisor)
            left //= divisor
        divisor += 1
    return {"prime_factors": factors + [left] * (left > 1)}
""",
    "is_prime": """
def is_prime(number):
    n = int(number)
    return {"prime": n > 1 and all(n % d for d in range(2, math.isqrt(n) + 1))}
""",
    "square_root": """
def square_root(number):
    return {"square_root": math.sqrt(number)}
""",
    "sum_of_range": """
def sum_of_range(first, last):
    return {"sum": sum(range(int(first), int(last) + 1))}
""",
}
