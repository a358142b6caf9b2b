from hypothesis import HealthCheck, settings

# Timing on shared machines says nothing; what an example does must not depend on it.
settings.register_profile(
    "waggle", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("waggle")
