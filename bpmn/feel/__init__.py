"""FEEL, the expression language of DMN 1.5 with Camunda's additions.

Where DMN 1.5 and Camunda 8.6 (feel-scala 1.18) differ, an expression does as in Camunda:

- values of different types are neither equal nor unequal (`1 = "a"` is null), null equals null only;
- a single value is no list and no list of one is a value: `5[1]`, `count(1)` are null;
- a filter by position out of bounds, a missing variable or entry, a wrong argument: null with a warning;
- of two entries with the same key the last counts; `insert before` takes a position behind the end;
- `for i in 3..1` goes downwards; `is defined` is false for a variable that is null;
- durations and times become JSON strings as Java writes them (`PT25H`, `10:00`).

On purpose other than in Camunda:

- numbers keep 34 digits throughout, also in JSON, where Camunda has doubles and wraps whole numbers;
- moments in different zones are equal when they are the same moment, as DMN has it (Camunda: false);
- what Camunda rejects or leaves null without need, DMN's way: string escapes `\\\\` and `\\uXXXX`, exponents,
  `[1..3].start`, calling what an expression yields, functions that call themselves, `-duration(...)`,
  a day minus a zoned moment, `24:00:00`, `partition`, `list replace`, `is`, `range`;
- `uuid()` and `random number()` are null with a warning: an expression has the same result whenever it runs;
- `now()` and `today()` are in UTC;
- regular expressions are RE2's: no back references, no subtraction of classes.
"""

from bpmnd.bpmn.feel.expression import Expression, compile_expression, compile_unary_tests
from bpmnd.bpmn.feel.json import from_json, to_json
from bpmnd.bpmn.feel.limits import STEPS_MAX
from bpmnd.bpmn.feel.outcomes import Evaluated, EvaluationFailure, Lookup, NotBoolean, SyntaxProblem
from bpmnd.bpmn.feel.values import MISSING, Value, type_name

__all__ = [
    "MISSING",
    "STEPS_MAX",
    "Evaluated",
    "EvaluationFailure",
    "Expression",
    "Lookup",
    "NotBoolean",
    "SyntaxProblem",
    "Value",
    "compile_expression",
    "compile_unary_tests",
    "from_json",
    "to_json",
    "type_name",
]
