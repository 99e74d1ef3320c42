"""How an operation is described in the schema beyond what the framework knows of it."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from registry.api.parameters import NO_FILTER
from registry.api.permissions import Scoped

TOKEN = "token"  # noqa: S105 - the name of a security scheme


Json = dict[str, Any]


def close_bodies(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """Says of every JSON body that a field it does not name is refused; hook of the generator.

    An empty text is "not recorded" for a list too, as it is for every field that may be null.
    """
    schemas = result["components"]["schemas"]
    for methods in result["paths"].values():
        for operation in methods.values():
            for sent in operation.get("requestBody", {}).get("content", {}).values():
                schema = sent["schema"].get("items", sent["schema"])
                if "$ref" in schema:
                    _close(schemas[schema["$ref"].rpartition("/")[2]])
    return result


def _close(body: Json) -> None:
    body["additionalProperties"] = False
    for name, field in body["properties"].items():
        if field.get("type") == ["array", "null"]:
            said = {"description": field.pop("description")} if "description" in field else {}
            either = [field, {"type": "string", "maxLength": 0}]
            body["properties"][name] = {"anyOf": either, **said}


class OperationSchema(AutoSchema):
    """Names the scopes that a token needs for an operation, for machines and in words."""

    def scopes(self) -> list[str]:
        """The scopes; none where the address is open to all, or asks no token for any."""
        named = [
            scope.value
            for permission in self.view.get_permissions()
            if isinstance(permission, Scoped)
            for scope in permission.scopes(self.method, self.view)
        ]
        return sorted(set(named))

    def get_auth(self) -> list[dict[str, Any]]:
        """The ways to sign in; that of tokens lists the scopes (OpenAPI 3.1, security)."""
        return [
            {**way, TOKEN: self.scopes()} if TOKEN in way else way for way in super().get_auth()
        ]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation; its description says at the end which scopes a token needs."""
        found: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if found is not None and (scopes := self.scopes()):
            named = " and ".join(f"`{scope}`" for scope in scopes)
            found["description"] = f"{found['description']}\n\nA token needs {named}."
        if found is not None and self.method == "GET":
            for parameter in found.get("parameters", ()):
                _say_that_it_may_be_empty(parameter)
        return found


def _say_that_it_may_be_empty(parameter: Json) -> None:
    """A choice that is left empty is none, as a form or a dashboard sends it."""
    schema = parameter["schema"]
    chosen = parameter["in"] == "query" and schema.get("type") == "string" and "enum" in schema
    if chosen and NO_FILTER not in schema["enum"]:
        schema["enum"].append(NO_FILTER)
    if parameter["name"] == "format":
        parameter["description"] = "In place of `Accept`, which holds where it is empty."
