"""`python -m dashboard PLACE`: how a service starts the dashboard beside itself."""

import os
import sys

from dashboard.running import Taken, run
from router.config.dashboard_options import DashboardOptions

try:
    run(DashboardOptions.read(sys.argv[1]), parent=os.getppid())
except Taken as taken:
    sys.exit(f"dashboard: {taken}")
except KeyboardInterrupt:
    pass
