"""`python -m dashboard OPTIONS`: a service runs this command to start its dashboard."""

import os
import sys

from dashboard.running import PortTaken, run
from router.config.dashboard_options import DashboardOptions

try:
    run(DashboardOptions.read(sys.argv[1]), parent=os.getppid())
except PortTaken as taken:
    sys.exit(f"dashboard: {taken}")
except KeyboardInterrupt:
    pass
