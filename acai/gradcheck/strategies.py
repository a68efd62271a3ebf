"""Geometries for tests with hypothesis: windows that slide over pictures. They need hypothesis."""

from hypothesis import strategies as st


@st.composite
def geometries(draw: st.DrawFn, pooling: bool = False) -> dict[str, object]:
    """Any geometry with room for one window: "x", the shape (N, C, H, W), and "kernel", "stride" and "padding", pairs.

    Parameters
    ----------
    pooling : bool
        Whether the padding must be less than the window.
    """
    size = st.integers(1, 3)
    kernel, stride = draw(st.tuples(size, size)), draw(st.tuples(size, size))
    padding = tuple(draw(st.integers(0, k - 1 if pooling else 2)) for k in kernel)
    height, width = (draw(st.integers(max(1, k - 2 * p), 7)) for k, p in zip(kernel, padding))
    return {"x": (draw(size), draw(size), height, width), "kernel": kernel, "stride": stride, "padding": padding}
