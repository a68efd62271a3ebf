"""What is wrong with an answer: the key of a sentence, not the sentence itself, so that it can be said in any language."""

from collections.abc import Mapping

from acai.teaching.exercises.texts import in_words


class Wrong(Exception):
    """What is wrong with an answer: the key of a sentence, and the values of its {places}, which may be sentences again."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def in_words(self, sentences: Mapping[str, str]) -> str:
        """Write the sentence; a key without a sentence stands for itself."""
        if self.key not in sentences:
            return in_words(self.key)
        values = {name: value.in_words(sentences) if isinstance(value, Wrong) else value for name, value in self.values.items()}
        return sentences[self.key].format(**values)
