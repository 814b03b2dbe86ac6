-- Puts the names of a run's scratch tables on the list that cleanup reads.
-- Names: control, relations (their number). Parameters: relation, run key, for each.
INSERT INTO {{ control | name }}.scratch_tables (
  relation_name,
  run_key,
  created_at
)
VALUES
{% for _ in relations %}
  (%s, %s, GETDATE()){{ "" if loop.last else "," }}
{% endfor %}
