office-nav-overview = Overview
