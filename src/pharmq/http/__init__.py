"""What every route shares: problem+json, paging, the rules for text that people send."""

from pharmq.http.paging import MAX_ID, Limit, Offset, Page
from pharmq.http.problem import HANDLERS, Problem, language_of, problem

__all__ = ["HANDLERS", "MAX_ID", "Limit", "Offset", "Page", "Problem", "language_of", "problem"]
