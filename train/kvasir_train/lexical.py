"""BM25 over title and text: the lexical channel, for hard negatives and for calibrating the fusion."""

import re

import numpy as np
import scipy.sparse
import Stemmer

K1, B = 0.9, 0.4
WORD = re.compile(r"[^\W_]+", re.UNICODE)


class Bm25:
    """An index over texts. Scores use idf = ln(1 + (N - n + 0.5) / (n + 0.5)) and Snowball English stems."""

    def __init__(self, texts: list[str]):
        self._stem = Stemmer.Stemmer("english")
        self._terms: dict[str, int] = {}
        rows, columns = [], []
        for row, text in enumerate(texts):
            numbers = [self._terms.setdefault(term, len(self._terms)) for term in self._analyse(text)]
            rows += [row] * len(numbers)
            columns += numbers
        shape = (len(texts), len(self._terms))
        counts = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
        counts.sum_duplicates()
        lengths = np.asarray(counts.sum(1)).ravel()
        found_in = np.bincount(counts.indices, minlength=shape[1])
        idf = np.log1p((shape[0] - found_in + 0.5) / (found_in + 0.5))
        damping = K1 * (1 - B + B * lengths / max(lengths.mean(), 1e-9))
        per_entry = np.repeat(damping, np.diff(counts.indptr))
        counts.data = counts.data * (K1 + 1) / (counts.data + per_entry) * idf[counts.indices]
        self._texts = counts.astype(np.float32)
        self._weights = self._texts.T.tocsr()
        self._most = (K1 + 1) * idf
        self._unknown = (K1 + 1) * np.log1p((shape[0] + 0.5) / 0.5)

    def _analyse(self, text: str) -> list[str]:
        return self._stem.stemWords(WORD.findall(text.lower()))

    def _asked(self, queries: list[list[str]]) -> scipy.sparse.csr_matrix:
        """[queries, terms]: how often each known term of analysed queries is asked."""
        asked = [[self._terms[term] for term in query if term in self._terms] for query in queries]
        rows = np.repeat(np.arange(len(asked)), [len(terms) for terms in asked])
        columns = np.concatenate([np.array(terms, dtype=np.int64) for terms in asked])
        shape = (len(queries), self._weights.shape[0])
        return scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)

    def scores(self, queries: list[str]) -> np.ndarray:
        """[queries, texts], float32. A term asked twice counts twice."""
        return (self._asked([self._analyse(query) for query in queries]) @ self._weights).toarray()

    def coverage(self, queries: list[str], texts: list[int]) -> np.ndarray:
        """[queries, texts], float32, 0 to 1: scores of some texts as a share of the most that the query could get."""
        analysed = [self._analyse(query) for query in queries]
        asked = self._asked(analysed)
        unknown = [sum(term not in self._terms for term in query) for query in analysed]
        most = asked @ self._most + self._unknown * np.array(unknown)
        return (asked @ self._texts[texts].T).toarray() / np.maximum(most, 1e-6)[:, None].astype(np.float32)


def top(scores: np.ndarray, count: int) -> np.ndarray:
    """Places of the highest scores per row, best first; ties go to the lower place."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :count]
