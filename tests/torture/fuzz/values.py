"""Values that nobody would write, and some that somebody might."""

import re
from pathlib import PurePosixPath
from typing import Any, NoReturn

from hypothesis import strategies as st


class Unkind:
    """An object with which nothing can be done."""

    def _refuse(self, *args: Any) -> NoReturn:
        raise RuntimeError("no")

    __eq__ = __bool__ = __call__ = __iter__ = __len__ = _refuse
    __hash__ = None  # type: ignore[assignment]


# With lone surrogates, as undecodable bytes of the environment are, and with NUL.
texts = st.text(st.characters(exclude_categories=()), max_size=40)
# What the environment can hold, but for the name of the variable.
environment_texts = st.binary(max_size=40).map(
    lambda raw: raw.replace(b"\0", b"").decode(errors="surrogateescape")
)
written = st.sampled_from(
    [
        *("", " ", "0", "-0", "1", "1e3", "1_0", "٣", "nan", "inf", "1e308", "5e-324", "9" * 400),
        *("true", "ON", "None", "null", "[]", "{}", '["("]', '["a*"]', "[" * 3000, '"a"'),
        *("/", "/run/x", "/a\0b", "/\udcff", "relative", "C:\\x", "/" + "x" * 5000),
        *("http://h", "https://u:p@h:1/x?y#z", "http://[", "http://h:99999", "http://\udcff@h/"),
        *("http://h/a b", "http://h/ü", "http://ü/", "http://h\n/", "http://a..b/", "HTTP://H"),
        *("debug", "always", "never", "a.b", "a..b", "tests.urls.plain", "os.abort", "X-Id"),
        *("WARNING", "warning ", "critical", "0.0.0.0", "::", "a..b", "[::1]", "\udcff"),
    ]
)
numbers = st.one_of(st.integers(), st.integers(2**31, 2**80), st.floats(), st.booleans())
scalars = st.one_of(
    texts,
    written,
    numbers,
    st.none(),
    st.binary(max_size=5),
    st.builds(Unkind),
    st.builds(object),
    st.just(Unkind),
    st.sampled_from([re.compile("a"), re.compile(b"a"), PurePosixPath("/a/b"), len, int]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(texts | written, inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["liveness", "readiness", "startup", "timeout", "every"]), inner
        ),
    ),
    max_leaves=6,
)
