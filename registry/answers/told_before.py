"""How many rows of a protected answer are told, said before it is looked at."""

from django.http import QueryDict

from registry.answers.asking import Panel, ask
from registry.answers.numbers import written
from registry.answers.page_question import read_page_question
from registry.answers.refusable import sentence
from registry.answers.tables import GONE
from registry.records import BadQuery, Viewer


def told_before(params: QueryDict, viewer: Viewer) -> str:
    """The rows of a question and how many of them are told, or why it is refused; in a sentence.

    Asks the question, whose answer is then kept. Empty for one that cannot be read.
    """
    try:
        question = read_page_question(params, viewer)
    except BadQuery:
        return ""
    panel = ask(question.query, question.measure, viewer)
    if panel.refused:
        return f"{panel.refused.heading}. {sentence(panel.refused.faults[0].detail)}"
    return f"{rows_told(panel)}."


def rows_told(panel: Panel) -> str:
    """As in `5 of 8 rows are told`; nothing for an answer without rows."""
    told = sum(row["status"] not in GONE for row in panel.rows)
    return (
        f"{written(told)} of {written(len(panel.rows))} rows are told" if panel.rows else "No row"
    )
