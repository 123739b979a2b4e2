"""Family `tokens`: raw token ids in, token ids out. For parity gates, tests, and models whose text lives elsewhere."""

from generate.tokens.front_end import TokensFrontEnd as TokensFrontEnd
from generate.tokens.front_end import open_front_end as open_front_end
