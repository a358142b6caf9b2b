"""Scripted servers in the dialects of the providers: their lists, their errors, and an answer.

The lists and errors are of the form that each provider documents. A server takes one key.
"""

from urllib.parse import parse_qs, urlsplit

from tests.upstream import Script, Wire, answer_well

KEY = "sk-proj-Zq81vVqS0meSecretThatNobodyMayPrint"
DAY = 86_400
NOW = 1_790_000_000  # in 2026


def openai_rows(*names: str, owner: str = "system") -> dict:
    rows = [
        {"id": name, "object": "model", "created": NOW - n * DAY, "owned_by": owner}
        for n, name in enumerate(names)
    ]
    return {"object": "list", "data": rows}


OPENAI_LIST = openai_rows(
    "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-4o-audio-preview",
    "gpt-4o-realtime-preview", "gpt-4o-mini-tts", "gpt-4o-transcribe", "gpt-4o-search-preview",
    "gpt-5", "gpt-5-2025-08-07", "gpt-5-mini", "gpt-5-mini-2025-08-07", "gpt-5-nano",
    "gpt-5-nano-2025-08-07", "gpt-5-pro", "gpt-5-codex", "gpt-5-chat-latest", "gpt-image-1",
    "dall-e-3", "whisper-1", "tts-1", "text-embedding-3-small", "text-embedding-3-large",
    "omni-moderation-latest", "sora-2", "babbage-002", "davinci-002", "gpt-3.5-turbo-instruct",
    "o3-deep-research", "computer-use-preview",
)  # fmt: skip
OPENAI_REFUSAL = {
    "error": {
        "message": f"Incorrect API key provided: {KEY}. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }
}


def query(wire: Wire) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(wire.path).query).items()}


def path(wire: Wire) -> str:
    return urlsplit(wire.path).path


def bearer(wire: Wire, key: str = KEY) -> bool:
    return wire.headers.get("authorization") == f"Bearer {key}"


async def unknown(wire: Wire) -> None:
    await wire.json({"error": {"message": f"Unknown request URL: GET {wire.path}"}}, 404)


def openai(listed: dict = OPENAI_LIST, *, at: str = "/v1", key: str = KEY) -> Script:
    async def script(wire: Wire) -> None:
        if not bearer(wire, key):
            await wire.json(OPENAI_REFUSAL, 401)
        elif path(wire) == f"{at}/models":
            await wire.json(listed)
        elif path(wire) == f"{at}/chat/completions":
            await answer_well(wire)
        else:
            await unknown(wire)

    return script


ANTHROPIC_LIST = [
    ("claude-opus-4-5-20251101", "2025-11-24T00:00:00Z"),
    ("claude-haiku-4-5-20251001", "2025-10-15T00:00:00Z"),
    ("claude-sonnet-4-5-20250929", "2025-09-29T00:00:00Z"),
    ("claude-opus-4-1-20250805", "2025-08-05T00:00:00Z"),
    ("claude-sonnet-4-20250514", "2025-05-22T00:00:00Z"),
    ("claude-3-haiku-20240307", "2024-03-07T00:00:00Z"),
]


def anthropic(*, page: int = 4, key: str = KEY) -> Script:
    """Anthropic's list, in pages; `limit` is obeyed up to `page`."""
    rows = [
        {"type": "model", "id": name, "display_name": name.title(), "created_at": at}
        for name, at in ANTHROPIC_LIST
    ]

    async def script(wire: Wire) -> None:
        if wire.headers.get("x-api-key") != key:
            error = {"type": "authentication_error", "message": "invalid x-api-key"}
            await wire.json({"type": "error", "error": error}, 401)
        elif "anthropic-version" not in wire.headers:
            error = {"type": "invalid_request_error", "message": "anthropic-version: is required"}
            await wire.json({"type": "error", "error": error}, 400)
        elif path(wire) == "/v1/models":
            after = query(wire).get("after_id")
            start = [row["id"] for row in rows].index(after) + 1 if after else 0
            part = rows[start : start + page]
            ends = {"first_id": part[0]["id"], "last_id": part[-1]["id"]}
            await wire.json({"data": part, "has_more": start + page < len(rows), **ends})
        elif path(wire) == "/v1/messages":
            await wire.json(message("hello"))
        else:
            error = {"type": "not_found_error", "message": "Not found"}
            await wire.json({"type": "error", "error": error}, 404)

    return script


def message(text: str) -> dict:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 50},
    }


def gemini_row(name: str, window: int, *methods: str) -> dict:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.title(),
        "description": "A model.",
        "inputTokenLimit": window,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": [*methods],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
    }


GEMINI_LIST = [
    gemini_row("embedding-gecko-001", 1024, "embedText", "countTextTokens"),
    gemini_row("gemini-2.5-pro", 1_048_576, "generateContent", "countTokens"),
    gemini_row("gemini-2.5-flash", 1_048_576, "generateContent", "countTokens"),
    gemini_row("gemini-2.5-flash-lite", 1_048_576, "generateContent", "countTokens"),
    gemini_row("gemini-2.5-flash-preview-tts", 8192, "generateContent", "countTokens"),
    gemini_row("gemini-2.0-flash-001", 1_048_576, "generateContent", "countTokens"),
    gemini_row("gemini-embedding-001", 2048, "embedContent", "countTokens"),
    gemini_row("imagen-4.0-generate-001", 480, "predict"),
    gemini_row("veo-3.0-generate-001", 480, "predictLongRunning"),
    gemini_row("aqa", 7168, "generateAnswer"),
]


def gemini(*, page: int = 6, key: str = KEY) -> Script:
    async def script(wire: Wire) -> None:
        if wire.headers.get("x-goog-api-key") != key:
            reason = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
            }
            text = "API key not valid. Please pass a valid API key."
            error = {
                "code": 400,
                "message": text,
                "status": "INVALID_ARGUMENT",
                "details": [reason],
            }
            await wire.json({"error": error}, 400)
        elif path(wire) == "/v1beta/models":
            start = int(query(wire).get("pageToken", 0))
            part = {"models": GEMINI_LIST[start : start + page]}
            more = {"nextPageToken": str(start + page)} if start + page < len(GEMINI_LIST) else {}
            await wire.json(part | more)
        elif ":generateContent" in wire.path:
            content = {"parts": [{"text": "hello"}], "role": "model"}
            usage = {"promptTokenCount": 100, "candidatesTokenCount": 50, "totalTokenCount": 150}
            choice = {"content": content, "finishReason": "STOP", "index": 0}
            await wire.json({"candidates": [choice], "usageMetadata": usage})
        else:
            await wire.json({"error": {"code": 404, "message": "", "status": "NOT_FOUND"}}, 404)

    return script


def mistral_row(name: str, window: int, *, chat: bool = True, vision: bool = False) -> dict:
    return {
        "id": name,
        "object": "model",
        "created": NOW,
        "owned_by": "mistralai",
        "capabilities": {
            "completion_chat": chat,
            "completion_fim": False,
            "function_calling": chat,
            "fine_tuning": False,
            "vision": vision,
            "classification": False,
        },
        "name": name,
        "max_context_length": window,
        "aliases": [],
        "deprecation": None,
        "type": "base",
    }


MISTRAL_LIST = {
    "object": "list",
    "data": [
        mistral_row("mistral-large-2512", 262_144, vision=True),
        mistral_row("mistral-small-2603", 262_144, vision=True),
        mistral_row("ministral-8b-2512", 262_144),
        mistral_row("mistral-embed", 8192, chat=False),
        mistral_row("mistral-ocr-2512", 16_384, chat=False),
    ],
}


def mistral(*, key: str = KEY) -> Script:
    async def script(wire: Wire) -> None:
        if not bearer(wire, key):
            await wire.json({"detail": "Unauthorized"}, 401)
        elif path(wire) == "/v1/models":
            await wire.json(MISTRAL_LIST)
        else:
            await answer_well(wire)

    return script


def groq_row(name: str, window: int, *, active: bool = True) -> dict:
    more = {"active": active, "context_window": window, "public_apps": None}
    return {"id": name, "object": "model", "created": NOW, "owned_by": "Groq"} | more


GROQ_LIST = {
    "object": "list",
    "data": [
        groq_row("llama-3.1-8b-instant", 131_072),
        groq_row("openai/gpt-oss-120b", 131_072),
        groq_row("openai/gpt-oss-20b", 131_072),
        groq_row("qwen/qwen3-32b", 131_072, active=False),
        groq_row("whisper-large-v3", 448),
        groq_row("meta-llama/llama-guard-4-12b", 131_072),
    ],
}


def deepseek_list() -> dict:
    names = ("deepseek-chat", "deepseek-reasoner")
    rows = [{"id": name, "object": "model", "owned_by": "deepseek"} for name in names]
    return {"object": "list", "data": rows}


def xai_row(name: str, prompt: int, completion: int, *takes: str) -> dict:
    return {
        "id": name,
        "fingerprint": "fp_1",
        "created": NOW,
        "object": "model",
        "owned_by": "xai",
        "version": "1.0",
        "input_modalities": [*takes],
        "output_modalities": ["text"],
        "prompt_text_token_price": prompt,
        "cached_prompt_text_token_price": prompt // 4,
        "prompt_image_token_price": 0,
        "completion_text_token_price": completion,
        "aliases": [],
    }


def xai(*, key: str = KEY) -> Script:
    rows = [
        xai_row("grok-4-fast-non-reasoning", 2000, 5000, "text", "image"),
        xai_row("grok-4-0709", 30_000, 150_000, "text", "image"),
        xai_row("grok-code-fast-1", 2000, 15_000, "text"),
    ]

    async def script(wire: Wire) -> None:
        if not bearer(wire, key):
            text = f"Incorrect API key provided: {key[:3]}***. You can obtain an API key from x.ai."
            code = "Client specified an invalid argument"
            await wire.json({"code": code, "error": text}, 400)
        elif path(wire) == "/v1/language-models":
            await wire.json({"models": rows})
        else:
            await answer_well(wire)

    return script


def openrouter_row(name: str, prompt: str, completion: str, *, gives: str = "text") -> dict:
    return {
        "id": name,
        "canonical_slug": name,
        "name": name,
        "created": NOW,
        "description": "A model.",
        "context_length": 200_000,
        "architecture": {
            "modality": f"text+image->{gives}",
            "input_modalities": ["text", "image"],
            "output_modalities": [gives],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {
            "prompt": prompt,
            "completion": completion,
            "request": "0",
            "image": "0",
            "input_cache_read": "0.0000001",
        },
        "top_provider": {"context_length": 200_000, "max_completion_tokens": 64_000},
        "per_request_limits": None,
        "supported_parameters": ["tools", "temperature", "logprobs"],
    }


OPENROUTER_LIST = {
    "data": [
        openrouter_row("openrouter/auto", "-1", "-1"),
        openrouter_row("moonshotai/kimi-k2", "0.0000006", "0.0000025"),
        openrouter_row("z-ai/glm-4.6", "0.0000004", "0.00000175"),
        openrouter_row("somebody/wild-merge-70b", "0.000001", "0.000001"),
        openrouter_row("google/gemini-2.5-flash-image", "0.0000003", "0.0000025", gives="image"),
    ]
}


def openrouter(*, key: str = KEY) -> Script:
    """Everybody may read OpenRouter's list; its `/key` knows whether a key holds."""

    async def script(wire: Wire) -> None:
        if path(wire) == "/v1/models":
            await wire.json(OPENROUTER_LIST)
        elif not bearer(wire, key):
            await wire.json({"error": {"message": "No auth credentials found", "code": 401}}, 401)
        elif path(wire) == "/v1/key":
            await wire.json({"data": {"label": "sk-or-v1-...", "limit": None, "usage": 0.4}})
        else:
            await answer_well(wire)

    return script


def together_row(name: str, kind: str, dear: float) -> dict:
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "type": kind,
        "running": False,
        "display_name": name,
        "organization": "Meta",
        "context_length": 131_072,
        "pricing": {"hourly": 0, "input": dear, "output": dear, "base": 0, "finetune": 0},
    }


TOGETHER_LIST = [  # a list, and no object around it
    together_row("meta-llama/Llama-3.3-70B-Instruct-Turbo", "chat", 0.88),
    together_row("Qwen/Qwen2.5-7B-Instruct-Turbo", "chat", 0.3),
    together_row("meta-llama/Llama-4-Dedicated", "chat", 0),
    together_row("black-forest-labs/FLUX.1-schnell", "image", 0),
    together_row("BAAI/bge-large-en-v1.5", "embedding", 0.02),
]


def fireworks_row(name: str, *, chat: bool = True) -> dict:
    return {
        "id": f"accounts/fireworks/models/{name}",
        "object": "model",
        "owned_by": "fireworks",
        "created": NOW,
        "kind": "HF_BASE_MODEL",
        "supports_chat": chat,
        "supports_image_input": False,
        "supports_tools": True,
        "context_length": 131_072,
    }


FIREWORKS_LIST = {
    "object": "list",
    "data": [
        fireworks_row("gpt-oss-120b"),
        fireworks_row("gpt-oss-20b"),
        fireworks_row("flux-1-dev-fp8", chat=False),
    ],
}


def azure(*, key: str = KEY, lists: bool = True) -> Script:
    """A resource at Azure; the newer ones do not list deployments to a key."""
    rows = [
        {
            "scale_settings": {"scale_type": "standard"},
            "model": model,
            "owner": "organization-owner",
            "id": name,
            "status": status,
            "created_at": NOW,
            "updated_at": NOW,
            "object": "deployment",
        }
        for name, model, status in (
            ("chat-large", "gpt-4o", "succeeded"),
            ("chat-small", "gpt-4o-mini", "succeeded"),
            ("coming", "gpt-4o", "running"),
            ("vectors", "text-embedding-3-small", "succeeded"),
        )
    ]

    async def script(wire: Wire) -> None:
        if wire.headers.get("api-key") != key:
            text = "Access denied due to invalid subscription key or wrong API endpoint."
            await wire.json({"error": {"code": "401", "message": text}}, 401)
        elif "api-version" not in query(wire):
            await wire.json({"error": {"code": "404", "message": "Resource not found"}}, 404)
        elif path(wire) == "/openai/deployments" and lists:
            await wire.json({"data": rows, "object": "list"})
        elif path(wire).endswith("/chat/completions"):
            await answer_well(wire)
        else:
            await wire.json({"error": {"code": "404", "message": "Resource not found"}}, 404)

    return script


def ollama_row(name: str, family: str, size: str) -> dict:
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-10-03T14:56:49.277302595-07:00",
        "size": 2_019_393_189,
        "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": family,
            "families": [family],
            "parameter_size": size,
            "quantization_level": "Q4_K_M",
        },
    }


OLLAMA_SHOWN = {
    "llama3.2:latest": (["completion", "tools"], "llama", 131_072, ""),
    "llava:13b": (["completion", "vision"], "llama", 4096, "num_ctx    2048"),
    "nomic-embed-text:latest": (["embedding"], "nomic-bert", 2048, "num_ctx    8192"),
}
OLLAMA_LIST = {
    "models": [
        ollama_row("llama3.2:latest", "llama", "3.2B"),
        ollama_row("llava:13b", "llama", "13B"),
        ollama_row("nomic-embed-text:latest", "nomic-bert", "137M"),
        ollama_row("gpt-oss:120b-cloud", "gptoss", "116.8B")
        | {"remote_host": "https://ollama.com"},
    ]
}


def ollama(listed: dict = OLLAMA_LIST, *, version: str = "0.9.6") -> Script:
    async def script(wire: Wire) -> None:
        if wire.path == "/api/version":
            await wire.json({"version": version})
            return
        if wire.path == "/api/tags":
            await wire.json(listed)
        elif wire.path == "/api/show":
            shown = OLLAMA_SHOWN.get(wire.fields["model"])
            if shown is None:
                await wire.json({"error": f"model '{wire.fields['model']}' not found"}, 404)
                return
            uses, kind, window, parameters = shown
            about = {"general.architecture": kind, f"{kind}.context_length": window}
            details = {"capabilities": uses, "model_info": about, "parameters": parameters}
            await wire.json(details | {"license": "…", "modelfile": "…", "template": "…"})
        elif wire.path == "/v1/chat/completions":
            await answer_well(wire)
        else:
            wire.head(404, content_type="text/plain", content_length="18")
            wire.raw(b"404 page not found")

    return script


LMSTUDIO_LIST = {
    "object": "list",
    "data": [
        {
            "id": "qwen2-vl-7b-instruct",
            "object": "model",
            "type": "vlm",
            "publisher": "mlx-community",
            "arch": "qwen2_vl",
            "compatibility_type": "mlx",
            "quantization": "4bit",
            "state": "not-loaded",
            "max_context_length": 32_768,
        },
        {
            "id": "meta-llama-3.1-8b-instruct",
            "object": "model",
            "type": "llm",
            "publisher": "lmstudio-community",
            "arch": "llama",
            "compatibility_type": "gguf",
            "quantization": "Q4_K_M",
            "state": "loaded",
            "max_context_length": 131_072,
            "loaded_context_length": 4096,
            "capabilities": ["tool_use"],
        },
        {
            "id": "text-embedding-nomic-embed-text-v1.5",
            "object": "model",
            "type": "embeddings",
            "publisher": "nomic-ai",
            "max_context_length": 2048,
        },
    ],
}


def lmstudio(*, rich: bool = True) -> Script:
    """LM Studio, or an older one that knows only OpenAI's paths and answers others with 200."""

    async def script(wire: Wire) -> None:
        if wire.path == "/api/v0/models" and rich:
            await wire.json(LMSTUDIO_LIST)
        elif wire.path == "/v1/models":
            rows = [{"id": row["id"], "object": "model"} for row in LMSTUDIO_LIST["data"]]
            owner = {"owned_by": "organization_owner"}
            await wire.json({"object": "list", "data": [row | owner for row in rows]})
        elif wire.path == "/v1/chat/completions":
            await answer_well(wire)
        else:
            await wire.json({"error": f"Unexpected endpoint or method. (GET {wire.path})"})

    return script


def vllm(*, key: str = "") -> Script:
    row = {
        "id": "Qwen/Qwen2.5-7B-Instruct",
        "object": "model",
        "created": NOW,
        "owned_by": "vllm",
        "root": "Qwen/Qwen2.5-7B-Instruct",
        "parent": None,
        "max_model_len": 16_384,
        "permission": [],
    }

    async def script(wire: Wire) -> None:
        if key and wire.path.startswith("/v1") and not bearer(wire, key):
            await wire.json({"error": "Unauthorized"}, 401)
        elif wire.path == "/v1/models":
            await wire.json({"object": "list", "data": [row]})
        elif wire.path == "/v1/chat/completions":
            await answer_well(wire)
        else:
            await wire.json({"detail": "Not Found"}, 404)

    return script


def llamacpp(*, loading: bool = False) -> Script:
    meta = {"vocab_type": 1, "n_vocab": 128_256, "n_ctx_train": 131_072, "n_params": 8_030_261_312}
    name = "/home/me/models/Llama-3.1-8B-Instruct-Q4_K_M.gguf"
    row = {"id": name, "object": "model", "created": NOW, "owned_by": "llamacpp", "meta": meta}

    async def script(wire: Wire) -> None:
        if loading:
            error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
            await wire.json({"error": error}, 503)
        elif wire.path == "/v1/models":
            await wire.json({"object": "list", "data": [row]})
        elif wire.path == "/props":
            usual = {"n_ctx": 8192, "params": {"n_predict": -1}}
            kinds = {"vision": False, "audio": False}
            more = {"total_slots": 4, "model_path": name, "modalities": kinds}
            await wire.json({"default_generation_settings": usual} | more)
        else:
            await answer_well(wire)

    return script


def waggle(*, keys: bool = False) -> Script:
    """Waggle itself, with or without keys of its own."""

    async def script(wire: Wire) -> None:
        if wire.path == "/health/live":
            await wire.json({"status": "live", "router": "router-1"})
        elif keys:
            error = {"message": "This service needs an API key.", "code": "missing_api_key"}
            await wire.json({"error": error}, 401)
        else:
            await wire.json(openai_rows("auto", "fast", owner="waggle"))

    return script


async def web_page(wire: Wire) -> None:
    page = b"<!doctype html><html><body>Sign in</body></html>"
    wire.head(200, content_type="text/html; charset=utf-8", content_length=str(len(page)))
    wire.raw(page)
