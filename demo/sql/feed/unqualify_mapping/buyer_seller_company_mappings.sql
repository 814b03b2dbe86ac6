{# A mapping of the client ceases to qualify: rejected or joined, from another source, or without an inviter. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import draw with context %}
{% block changes %}
  CASE {{ draw('reason', 4) }} WHEN 0 THEN 4 WHEN 1 THEN 5 ELSE feed_rows.status END AS status,
  CASE WHEN {{ draw('reason', 4) }} = 2 THEN 2 ELSE feed_rows.source END AS source,
  CASE WHEN {{ draw('reason', 4) }} < 3 THEN feed_rows.invited_by END AS invited_by,
{% endblock %}
{% block condition %}
newest.client_company_id = {{ client }}
      AND newest.status IN (1, 2, 7)
      AND newest.source IN (0, 1)
      AND newest.invited_by IS NOT NULL
{% endblock %}
