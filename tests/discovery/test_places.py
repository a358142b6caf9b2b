"""Where the environment says that models are; what it says wrongly is named."""

import pytest

from router.discovery.providers import PROVIDERS, Place, Unusable, places

SECRET = "sk-Secret123"


def named(variables):
    return {each.provider.name: each for each in places(variables)}


def test_without_variables_only_the_usual_ports_of_this_machine_are_asked():
    servers = places({})
    assert [(each.provider.name, each.host) for each in servers] == [
        ("ollama", "127.0.0.1:11434"),
        ("lmstudio", "127.0.0.1:1234"),
        ("vllm", "127.0.0.1:8000"),
        ("llamacpp", "127.0.0.1:8080"),
    ]
    assert not any(each.stated for each in servers)


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("OPENAI_API_KEY", "openai"), ("ANTHROPIC_API_KEY", "anthropic"),
        ("GEMINI_API_KEY", "gemini"), ("GOOGLE_API_KEY", "gemini"), ("MISTRAL_API_KEY", "mistral"),
        ("GROQ_API_KEY", "groq"), ("DEEPSEEK_API_KEY", "deepseek"), ("XAI_API_KEY", "xai"),
        ("OPENROUTER_API_KEY", "openrouter"), ("TOGETHER_API_KEY", "together"),
        ("FIREWORKS_API_KEY", "fireworks"),
    ],
)  # fmt: skip
def test_a_key_makes_a_provider_take_part_at_its_usual_address(variable, name):
    place = named({variable: SECRET})[name]
    assert place.key == variable
    assert place.base_url.startswith("https://")


def test_no_secret_is_shown_where_a_place_is():
    assert SECRET not in repr(places({"OPENAI_API_KEY": SECRET}))


def test_an_empty_key_is_no_key():
    assert "openai" not in named({"OPENAI_API_KEY": ""})


@pytest.mark.parametrize("secret", ["sk-1\n", "sk 1", "sk-1\r\nx-evil: 1", "sk-ü"])
def test_a_key_that_no_header_can_hold_is_named_and_not_shown(secret):
    problem = named({"OPENAI_API_KEY": secret})["openai"]
    assert isinstance(problem, Unusable)
    assert problem.reason.startswith("OPENAI_API_KEY holds a space, a line break")
    assert "sk" not in problem.reason


def test_azure_needs_the_address_of_the_resource():
    problem = named({"AZURE_OPENAI_API_KEY": SECRET})["azure"]
    assert "set AZURE_OPENAI_ENDPOINT" in problem.reason


def test_azure_takes_address_version_and_deployments_from_the_environment():
    place = named({
        "AZURE_OPENAI_API_KEY": SECRET, "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com/",
        "OPENAI_API_VERSION": "2025-01-01-preview", "AZURE_OPENAI_DEPLOYMENT": "a, b",
    })["azure"]  # fmt: skip
    assert place.base_url == "https://mine.openai.azure.com"
    assert place.api_version == "2025-01-01-preview"
    assert place.deployments == ("a", "b")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:1111", "http://127.0.0.1:1111/v1"),
        (":1111", "http://127.0.0.1:1111/v1"),
        ("localhost", "http://127.0.0.1:11434/v1"),
        ("box.lan:11434", "http://box.lan:11434/v1"),
        ("http://10.0.0.7:11434/", "http://10.0.0.7:11434/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("https://ollama.example.com", "https://ollama.example.com/v1"),
    ],
)
def test_ollamas_host_is_read_as_ollama_reads_it(text, address):
    assert named({"OLLAMA_HOST": text})["ollama"].base_url == address


@pytest.mark.parametrize(
    ("name", "text", "address"),
    [
        ("openai", "http://127.0.0.1:9000", "http://127.0.0.1:9000/v1"),
        ("openai", "https://gate.example.com/openai/v1/", "https://gate.example.com/openai/v1"),
        ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("anthropic", "https://gate.example.com/v1", "https://gate.example.com"),
        ("gemini", "https://gate.example.com/v1beta/", "https://gate.example.com"),
    ],
)
def test_an_address_of_the_environment_replaces_the_usual_one(name, text, address):
    provider = next(each for each in PROVIDERS if each.name == name)
    variables = {provider.keys[0]: SECRET, provider.urls[0]: text}
    assert named(variables)[name].base_url == address


@pytest.mark.parametrize(
    "text",
    [
        "https://user:pw@gate.example.com/v1", "https://gate.example.com/v1?key=abc", "gate",
        "ftp://gate", "http://", "http://a b/v1", "http://x:port/v1", "https://x/${OPENAI_API_KEY}",
        "https://x/\nv1",
    ],
)  # fmt: skip
def test_an_address_that_may_hold_a_secret_or_is_none_is_refused_and_not_shown(text):
    problem = named({"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": text})["openai"]
    assert isinstance(problem, Unusable)
    assert "OPENAI_BASE_URL is no address that can be used" in problem.reason
    assert "pw" not in problem.reason
    assert "abc" not in problem.reason


def test_two_names_of_one_server_count_once_and_as_the_local_one():
    variables = {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "http://localhost:1234/v1"}
    servers = named(variables)
    assert "openai" not in servers
    place = servers["lmstudio"]
    assert isinstance(place, Place)
    assert (place.key, place.stated) == ("OPENAI_API_KEY", True)


def test_a_key_of_a_local_server_goes_only_where_the_environment_says():
    assert named({"VLLM_API_KEY": SECRET})["vllm"].secret == ""
    variables = {"VLLM_API_KEY": SECRET, "VLLM_BASE_URL": "http://127.0.0.1:8001/v1"}
    assert named(variables)["vllm"].secret == SECRET


@pytest.mark.parametrize(
    ("host", "whose"),
    [
        ("127.0.0.1", "this machine"), ("10.1.2.3:11434", "a machine of your network"),
        ("box:11434", "a machine of your network"), ("box.local", "a machine of your network"),
        ("https://ollama.com", ""), ("8.8.8.8:11434", ""),
    ],
)  # fmt: skip
def test_only_a_server_of_ones_own_costs_nothing(host, whose):
    assert named({"OLLAMA_HOST": host})["ollama"].whose == whose
