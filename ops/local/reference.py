"""The reference pages in docs/: what the code, the template and the commands say of themselves.

The API's description is generated as a whole. A Markdown page begins with what is written by hand, up to MARKER.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from ops import PROJECT
from ops.deploying.package import merged_infra
from ops.deploying.settings import CommandWithSettings, offered, variable
from ops.local import openapi

MARKER = "<!-- Generated from here on. To regenerate it: .venv/bin/python -m ops reference -->\n"

Json = Mapping[str, Any]


def write(context: typer.Context) -> None:
    """Regenerate the reference pages in docs/, after a change of the API, the settings or the commands."""
    commands = context.find_root().command
    assert isinstance(commands, TyperGroup)  # noqa: S101 (for mypy: it is all of `python -m ops`)
    for path, text in pages(commands).items():
        path.write_text(text)


def pages(commands: TyperGroup) -> dict[Path, str]:
    """What each page must say. `commands` are all of `python -m ops`."""
    generated = {
        "api.md": describe_api(openapi.description()),
        "settings.md": describe_settings(commands),
        "commands.md": describe_commands(commands),
    }
    pages = {openapi.PATH: openapi.text()}
    for name, text in generated.items():
        path = PROJECT / "docs" / name
        pages[path] = path.read_text().partition(MARKER)[0] + MARKER + text
    return pages


# The API


def describe_api(description: Json) -> str:
    """The routes, objects and problems of an OpenAPI document."""
    from chalicelib.problems import Problem, title_of  # noqa: PLC0415 (no other command needs it)

    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]
    anywhere = set.intersection(*(set(operation["responses"]) for _, operation in operations))
    text = f"\n## Routes\n\nAny route may answer {', '.join(sorted(anywhere))} as well.\n"
    for tag in description["tags"]:
        text += f"\n### {tag['name'].capitalize()}\n\n{tag['description']}\n"
        for name, operation in operations:
            if operation["tags"] == [tag["name"]]:
                text += _route(name, operation, anywhere, description["components"]["responses"])
    text += "\n## Objects\n"
    for name, schema in description["components"]["schemas"].items():
        text += f"\n### {name}\n\n{schema['description']}\n\n{_members(schema)}"
    return f"{text}\n## Problems\n\nThe `type` is `urn:linkly:problem:` and one of these.\n\n" + _table(
        ("type", "status", "meaning"),
        [
            (
                f"`{_problem(kind.type_uri())}`",
                f"{kind.status.value} {title_of(kind.status)}",
                _first_line(kind.__doc__),
            )
            for kind in sorted(_kinds_of(Problem), key=lambda kind: (kind.status, kind.type_uri()))
        ],
    )


def _route(name: str, operation: Json, anywhere: set[str], responses: Json) -> str:
    """A method of a path. Statuses that are possible `anywhere` are left out."""
    refusals = {
        status: _problems_in(response, responses)
        for status, response in operation["responses"].items()
        if int(status) >= HTTPStatus.BAD_REQUEST and status not in anywhere
    }
    facts = {"Who": _who(operation, {problem for problems in refusals.values() for problem in problems})}
    if body := operation.get("requestBody"):
        media_type, content = [*body["content"].items()][-1]
        form = "" if media_type == "application/json" else f", `{media_type}`"
        facts["Body"] = f"{_kind(content['schema'])}{form}. {body['description']}"
    facts["Success"] = "; ".join(
        _success(status, response)
        for status, response in operation["responses"].items()
        if int(status) < HTTPStatus.BAD_REQUEST
    )
    if refusals:
        facts["Refusals"] = "; ".join(
            f"{status} {', '.join(f'`{problem}`' for problem in problems)}".strip()
            for status, problems in refusals.items()
        )
    text = f"\n#### `{name}`\n\n{operation['summary']}.\n\n"
    text += "".join(f"- {title}: {fact}\n" for title, fact in facts.items())
    if parameters := operation.get("parameters"):
        text += "\n" + _table(
            ("parameter", "in", "value", "meaning"),
            [(f"`{each['name']}`", each["in"], _kind(each["schema"]), each["description"]) for each in parameters],
        )
    return text


def _who(operation: Json, problems: set[str]) -> str:
    """Who may call a route: what it refuses tells."""
    if "admins-only" in problems:
        return "an admin"
    if {"not-your-link", "link-not-found"} <= problems:
        return "the link's owner, or an admin"
    return "anyone" if operation.get("security") == [] else "anyone with a key"


def _success(status: str, response: Json) -> str:
    text = f"{status} {response['description']}"
    for media_type, content in response.get("content", {}).items():
        text += f", {_kind(content['schema'])}" if media_type == "application/json" else f", `{media_type}`"
    return text + "".join(f", `{name}`" for name in ("Location", "ETag") if name in response["headers"])


def _problems_in(response: Json, responses: Json) -> list[str]:
    """The problems that a refusal may be. None of HEAD, whose answers have no content."""
    response = responses[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
    return [
        _problem(uri)
        for content in response.get("content", {}).values()
        for uri in content["schema"]["properties"]["type"]["enum"]
    ]


def _problem(uri: str) -> str:
    return uri.rpartition(":")[2]


def _kinds_of(root: Any) -> Iterator[Any]:
    """The classes below a class."""
    for child in root.__subclasses__():
        yield child
        yield from _kinds_of(child)


def _members(schema: Json) -> str:
    return _table(
        ("member", "value", "meaning"),
        [
            (
                f"`{name}`" if name in schema["required"] else f"`{name}`, optional",
                _kind(member),
                member.get("description", ""),
            )
            for name, member in schema["properties"].items()
        ],
    )


def _kind(schema: Json) -> str:
    """A JSON schema in a few words."""
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": choices}:
            return " or ".join(map(_kind, choices))
        case {"enum": values}:
            return " or ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"array of {_kind(items)}"
    words = [schema.get("format", schema.get("type", "any"))]
    if pattern := schema.get("pattern"):
        words.append(f"`{pattern}`")
    if length := _range(schema.get("minLength"), schema.get("maxLength")):
        words.append(f"{length} characters")
    if limits := _range(schema.get("minimum"), schema.get("maximum")):
        words.append(limits)
    if "default" in schema:
        words.append(f"default {schema['default']}")
    return ", ".join(words)


# The settings


def describe_settings(commands: TyperGroup) -> str:
    """The parameters of the stack, and what `make run` reads."""
    parameters = {name: each for name, each in merged_infra()["Parameters"].items() if name != "Stage"}
    stage = _table(
        ("parameter of the stack", "environment variable", "default", "allowed", "meaning"),
        [
            (
                f"`{name}`",
                f"`{variable(name)}`" if name in offered() else "",
                "empty" if parameter["Default"] == "" else f"`{parameter['Default']}`",
                _allowed(parameter),
                parameter["Description"],
            )
            for name, parameter in sorted(parameters.items())
        ],
    )
    options: list[Any] = commands.commands["run"].params
    local = _table(
        ("environment variable", "default", "meaning"),
        [(f"`{option.envvar}`", f"`{option.default}`", option.help) for option in options if option.envvar],
    )
    return f"\n## Of a stage\n\n{stage}\n## Of the local stack\n\n{local}"


def _allowed(parameter: Json) -> str:
    match parameter:
        case {"AllowedValues": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"AllowedPattern": pattern}:
            return f"`{pattern}`"
    return _range(parameter.get("MinValue"), parameter.get("MaxValue"))


# The commands


def describe_commands(commands: TyperGroup) -> str:
    """Each command: what it does, how it is called, its arguments and options."""
    found = list(_commands_in(commands, typer.Context(commands, info_name=".venv/bin/python -m ops")))
    overview = [
        (f"[`{name}`](#{name.replace(' ', '-')})", _first_line(context.command.help)) for name, context in found
    ]
    text = "\n" + _table(("command", "does"), overview)
    for name, context in found:
        command = context.command
        usage = f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}"
        text += f"\n## {name}\n\n{command.help}\n\n```\n{usage}\n```\n"
        if command.params:
            records = [each.get_help_record(context) for each in command.params]
            text += "\n" + _table(("argument or option", "meaning"), [(f"`{form}`", help_) for form, help_ in records])
        if isinstance(command, CommandWithSettings):
            text += "\nEach [setting](settings.md) is an option as well: `--base-url` for `BASE_URL`.\n"
    return text


def _commands_in(group: TyperGroup, context: typer.Context, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each command's name and context."""
    for name, command in group.commands.items():
        inner = typer.Context(command, parent=context, info_name=name)
        if isinstance(command, TyperGroup):
            yield from _commands_in(command, inner, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", inner


# Markdown


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    """A cell ends at a bar, even one in code, unless that is escaped (https://github.github.com/gfm/#tables-extension-)."""
    return " ".join(text.split()).replace("|", r"\|")


def _range(least: float | None, most: float | None) -> str:
    match least, most:
        case None, None:
            return ""
        case _, None:
            return f"at least {least}"
        case None, _:
            return f"at most {most}"
    return f"{least} to {most}"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
