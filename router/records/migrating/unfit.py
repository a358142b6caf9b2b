"""Why a value of a source record cannot become a value of the target."""


class Unfit(ValueError):
    """This value cannot be converted with certainty; the message quotes it and says why."""
