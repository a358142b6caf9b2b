"""The programs of conversions. Their factors are the definitions in SI units."""

from collections.abc import Mapping

# By dimension, each unit's size in the SI unit; the definitions are exact.
_SIZES = """
SIZES = {
    "length": {"meter": 1, "kilometer": 1000, "centimeter": 0.01, "millimeter": 0.001,
        "micrometer": 1e-6, "mile": 1609.344, "nautical_mile": 1852, "yard": 0.9144,
        "foot": 0.3048, "inch": 0.0254, "light_year": 9460730472580800},
    "mass": {"gram": 0.001, "kilogram": 1, "milligram": 1e-6, "microgram": 1e-9,
        "metric_ton": 1000, "ton": 907.18474, "pound": 0.45359237, "ounce": 0.028349523125,
        "stone": 6.35029318},
    "volume": {"liter": 0.001, "milliliter": 1e-6, "centiliter": 1e-5, "deciliter": 1e-4,
        "cubic_meter": 1, "cubic_centimeter": 1e-6, "cubic_foot": 0.028316846592,
        "gallon": 0.003785411784, "imperial_gallon": 0.00454609, "quart": 0.000946352946,
        "pint": 0.000473176473, "imperial_pint": 0.00056826125, "cup": 0.0002365882365,
        "fluid_ounce": 2.95735295625e-05, "tablespoon": 1.478676478125e-05,
        "teaspoon": 4.92892159375e-06},
    "area": {"square_meter": 1, "square_kilometer": 1e6, "square_foot": 0.09290304,
        "square_inch": 0.00064516, "square_mile": 2589988.110336, "hectare": 10000,
        "acre": 4046.8564224},
    "time": {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800,
        "millisecond": 0.001},
    "speed": {"kilometer_per_hour": 1 / 3.6, "mile_per_hour": 0.44704, "meter_per_second": 1,
        "knot": 1852 / 3600, "foot_per_second": 0.3048},
    "pressure": {"pascal": 1, "kilopascal": 1000, "megapascal": 1e6, "bar": 1e5,
        "atmosphere": 101325, "pound_force_per_square_inch": 4.4482216152605 / 0.0254**2,
        "mmHg": 133.322387415},
    "energy": {"joule": 1, "kilojoule": 1000, "calorie": 4.184, "kilocalorie": 4184,
        "kilowatt_hour": 3.6e6},
    "power": {"watt": 1, "kilowatt": 1000, "horsepower": 745.6998715822702},
    "force": {"newton": 1},
    "data": {"byte": 8, "kilobyte": 8e3, "megabyte": 8e6, "gigabyte": 8e9, "terabyte": 8e12,
        "mebibyte": 8 * 2**20, "gibibyte": 8 * 2**30, "megabit": 1e6},
    "angle": {"degree": math.pi / 180, "radian": 1},
}
""".strip("\n")
_CONVERT = """
def conversion(value, unit, into):
    celsius = {
        "degree_Celsius": lambda x: x,
        "degree_Fahrenheit": lambda x: (x - 32) * 5 / 9,
        "kelvin": lambda x: x - 273.15,
    }
    back = {
        "degree_Celsius": lambda x: x,
        "degree_Fahrenheit": lambda x: x * 9 / 5 + 32,
        "kelvin": lambda x: x + 273.15,
    }
    if unit in celsius:
        return {into: back[into](celsius[unit](value))}
    size = next(sizes for sizes in SIZES.values() if unit in sizes)
    return {into: value * size[unit] / size[into]}
"""
_IN_PARTS = """
def conversion_in_parts(value, unit, into):
    sizes = next(sizes for sizes in SIZES.values() if unit in sizes)
    outer, inner = into.split(",")
    whole, rest = divmod(round(value * sizes[unit] / sizes[inner], 9), sizes[outer] / sizes[inner])
    return {outer: int(whole), inner: rest}
"""
_MOTION = """
def motion(length=None, time=None, speed=None, **units):
    def si(kind, value):
        return value * SIZES[kind][units[f"{kind}_unit"]]

    if speed is None:
        metres_per_second = si("length", length) / si("time", time)
        return {"km_per_hour": metres_per_second * 3.6, "m_per_second": metres_per_second,
                "miles_per_hour": metres_per_second / 0.44704}
    if time is None:
        hours = si("length", length) / si("speed", speed) / 3600
        return {"hours": hours, "minutes": 60 * hours}
    metres = si("speed", speed) * si("time", time)
    return {"kilometers": metres / 1000, "meters": metres, "miles": metres / 1609.344}
"""
PROGRAMS: Mapping[str, str] = {
    "conversion": f"{_SIZES}\n\n{_CONVERT}",
    "conversion_in_parts": f"{_SIZES}\n\n{_IN_PARTS}",
    "motion": f"{_SIZES}\n\n{_MOTION}",
    "dose": """
def dose(per_kg, weight=None, pounds=None, concentration=None):
    amount = per_kg * (weight if pounds is None else pounds * 0.45359237)
    return {"dose": amount} | ({} if concentration is None else {"milliliters": amount / concentration})
""",
    "drop_rate": """
def drop_rate(milliliters, hours, drops):
    return {"drops_per_minute": milliliters * drops / (60 * hours)}
""",
    "infusion_rate": """
def infusion_rate(milliliters, hours):
    return {"milliliters_per_hour": milliliters / hours}
""",
    "fuel_use": """
def fuel_use(liters, kilometers):
    return {"liters_per_100_km": 100 * liters / kilometers}
""",
}
