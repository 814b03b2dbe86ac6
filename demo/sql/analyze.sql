-- Statistics for the planner.
ANALYZE {{ relation | name }}
