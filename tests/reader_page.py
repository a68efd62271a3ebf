"""The page that all tests of the reader look at: its parts are built once, by the first test that needs them."""

from acai.reader.page import Page
from acai.reader.sources import find_sources

PAGE = Page(find_sources())
