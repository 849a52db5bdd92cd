"""From the bytes of a DMN file to what it says, or to all that keeps it from being understood."""

from typing import Final

from bpmnd.bpmn.dmn.document import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Document,
    Import,
    InputData,
    ItemDefinition,
    Reference,
)
from bpmnd.bpmn.dmn.logic_reader import LogicReader, plain_type, text_in
from bpmnd.bpmn.model.graph import Problem
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.xml import ZEEBE, Tag, read

_NAMESPACES: Final = (
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",  # 1.1
    "http://www.omg.org/spec/DMN/20151101/dmn11.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",  # 1.2
    "https://www.omg.org/spec/DMN/20191111/MODEL/",  # 1.3
    "https://www.omg.org/spec/DMN/20211108/MODEL/",  # 1.4
    "https://www.omg.org/spec/DMN/20230324/MODEL/",  # 1.5
    "https://www.omg.org/spec/DMN/20240513/MODEL/",  # 1.6, of which nothing but its namespace is new here
)
_PREFIXES: Final = {**dict.fromkeys(_NAMESPACES, "dmn"), ZEEBE: "zeebe"}
ELEMENTS_MAX: Final = 2_000
"""Elements of a requirements graph; it bounds how long a deployment takes."""
TEXT_SIZE_MAX: Final = 512 * 1024
"""Characters of all expressions of a file, for the same reason."""


def read_document(content: bytes) -> Document | tuple[Problem, ...]:
    """Nothing that `content` holds makes it raise."""
    root = read(content, _PREFIXES)
    if isinstance(root, Problem):
        return (root,)
    if root.name != "dmn:definitions":
        return (Problem(None, root.line, "must have DMN definitions (1.1 to 1.5) as its root"),)
    report = Report()
    document = _Reader(report).document(root)
    problems = report.problems()
    return problems or document


class _Reader:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._logic = LogicReader(report)

    def document(self, root: Tag) -> Document:
        for attribute in ("name", "namespace"):
            if not root.attributes.get(attribute):
                self._report.add(root, f"attribute '{attribute}' must be present and not empty")
        elements = [
            tag
            for tag in root.children
            if tag.bare_name in ("decision", "inputData", "businessKnowledgeModel", "decisionService")
        ]
        if len(elements) > ELEMENTS_MAX:
            self._report.add(root, f"must not have more than {ELEMENTS_MAX} decisions and other elements")
            elements = []
        if sum(len(tag.text) for tag in root.descendants() if tag.name == "dmn:text") > TEXT_SIZE_MAX:
            self._report.add(root, f"must not have expressions of more than {TEXT_SIZE_MAX} characters")
        self._check_ids(elements)
        imports = tuple(
            Import(tag.attributes.get("name", ""), tag.attributes.get("namespace", ""), tag.line)
            for tag in root.all("dmn:import")
        )
        return Document(
            id=_id_of(root),
            name=root.attributes.get("name", ""),
            namespace=root.attributes.get("namespace", ""),
            is_camunda=root.attributes.get("exporter", "").startswith("Camunda")
            or any(tag.name.startswith("zeebe:") for tag in root.descendants()),
            imports=imports,
            types=tuple(self._type(tag) for tag in root.all("dmn:itemDefinition")),
            input_data=tuple(self._input(tag) for tag in elements if tag.bare_name == "inputData"),
            decisions=tuple(self._decision(tag) for tag in elements if tag.bare_name == "decision"),
            knowledge=tuple(
                self._knowledge_model(tag) for tag in elements if tag.bare_name == "businessKnowledgeModel"
            ),
            services=tuple(self._service(tag) for tag in elements if tag.bare_name == "decisionService"),
        )

    def _check_ids(self, elements: list[Tag]) -> None:
        known: set[str] = set()
        for tag in elements:
            if not tag.attributes.get("name"):
                self._report.add(tag, f"{tag.bare_name}: attribute 'name' must be present and not empty")
            elif (known_as := _id_of(tag)) in known:
                self._report.add(tag, f"duplicated id '{known_as}'")
            else:
                known.add(known_as)

    # -- requirements

    def _references(self, tag: Tag, container: str, *names: str) -> tuple[Reference, ...]:
        """What an element requires: by `<informationRequirement><requiredInput href="#id"/>…`."""
        return tuple(
            self._reference(tag, target)
            for requirement in tag.all(f"dmn:{container}")
            for target in requirement.children
            if target.bare_name in names
        )

    def _members(self, tag: Tag, name: str) -> tuple[Reference, ...]:
        return tuple(self._reference(tag, member) for member in tag.all(f"dmn:{name}"))

    def _reference(self, element: Tag, tag: Tag) -> Reference:
        namespace, hash_sign, identifier = tag.attributes.get("href", "").rpartition("#")
        if not hash_sign or not identifier:
            self._report.add(
                element, f"{tag.bare_name}: attribute 'href' must name an element: '#id'", at=tag
            )
        return Reference(namespace, identifier, tag.line)

    # -- elements of the graph

    def _input(self, tag: Tag) -> InputData:
        variable = _variable(tag)
        return InputData(_id_of(tag), _name_of(tag), tag.line, _type_ref(variable))

    def _decision(self, tag: Tag) -> Decision:
        variable = _variable(tag)
        return Decision(
            id=_id_of(tag),
            name=_name_of(tag),
            line=tag.line,
            result_name=(_name_of(variable) or None) if variable else None,
            type_ref=_type_ref(variable),
            version_tag=_version_tag(tag),
            information=self._references(tag, "informationRequirement", "requiredInput", "requiredDecision"),
            knowledge=self._references(tag, "knowledgeRequirement", "requiredKnowledge"),
            logic=self._logic.only(tag, tag),
        )

    def _knowledge_model(self, tag: Tag) -> BusinessKnowledgeModel:
        functions = tag.all("dmn:encapsulatedLogic")
        return BusinessKnowledgeModel(
            id=_id_of(tag),
            name=_name_of(tag),
            line=tag.line,
            type_ref=_type_ref(_variable(tag)),
            knowledge=self._references(tag, "knowledgeRequirement", "requiredKnowledge"),
            function=self._logic.function(tag, functions[0]) if functions else None,
        )

    def _service(self, tag: Tag) -> DecisionService:
        return DecisionService(
            id=_id_of(tag),
            name=_name_of(tag),
            line=tag.line,
            type_ref=_type_ref(_variable(tag)),
            output_decisions=self._members(tag, "outputDecision"),
            encapsulated_decisions=self._members(tag, "encapsulatedDecision"),
            input_decisions=self._members(tag, "inputDecision"),
            input_data=self._members(tag, "inputData"),
        )

    # -- types

    def _type(self, tag: Tag) -> ItemDefinition:
        name = tag.attributes.get("name", "")
        if not name:
            self._report.add(tag, f"{tag.bare_name}: attribute 'name' must be present and not empty")
        references = tag.all("dmn:typeRef")
        return ItemDefinition(
            name=name,
            line=tag.line,
            type_ref=plain_type(references[0].text) if references else "",
            is_collection=tag.attributes.get("isCollection") in ("true", "1"),
            allowed=_tests(tag, "allowedValues"),
            constraint=_tests(tag, "typeConstraint"),
            components=tuple(self._type(component) for component in tag.all("dmn:itemComponent")),
            is_function=bool(tag.all("dmn:functionItem")),
        )


def _name_of(tag: Tag) -> str:
    return " ".join(tag.attributes.get("name", "").split())


def _id_of(tag: Tag) -> str:
    """The standard wants no id where there is a name; one without is known by its name."""
    return tag.id or _name_of(tag)


def _version_tag(tag: Tag) -> str:
    for container in tag.all("dmn:extensionElements"):
        for extension in container.all("zeebe:versionTag"):
            return extension.attributes.get("value", "")
    return ""


def _variable(tag: Tag) -> Tag | None:
    variables = tag.all("dmn:variable")
    return variables[0] if variables else None


def _type_ref(variable: Tag | None) -> str:
    return plain_type(variable.attributes.get("typeRef", "")) if variable else ""


def _tests(tag: Tag, name: str) -> str:
    tests = tag.all(f"dmn:{name}")
    return text_in(tests[0]) if tests else ""
