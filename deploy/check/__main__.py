"""`python -m deploy.check`: every finding is a line and an error; part of `make check`."""

import sys

from deploy.check.compose import check_compose
from deploy.check.images import check_images
from deploy.check.kubernetes import check_kubernetes
from deploy.check.observability import check_observability
from deploy.triton.embedded import CHECKOUT


def main() -> int:
    """Run all checks; 1 when there is a finding."""
    findings = [
        *check_images(CHECKOUT),
        *check_compose(CHECKOUT),
        *check_kubernetes(CHECKOUT),
        *check_observability(CHECKOUT),
    ]
    for finding in findings:
        print(finding, file=sys.stderr)
    print(f"deploy: {len(findings) or 'no'} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
