"""Errors as OpenAI writes them, so that its clients raise their own typed exceptions."""

import orjson


def error_body(
    message: str, kind: str, *, code: str | None = None, param: str | None = None
) -> bytes:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return orjson.dumps({"error": error})


def kind_of(status: int) -> str:
    match status:
        case 401:
            return "authentication_error"
        case 403:
            return "permission_error"
        case 404:
            return "not_found_error"
        case 429:
            return "rate_limit_error"
        case _:
            return "server_error" if status >= 500 else "invalid_request_error"
