"""Guards over the words of requests and answers: pure rules. `router.engine.guarding` runs them."""
