{# A company that was no vendor becomes one, as far as the company goes. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  1 AS status,
  CASE WHEN feed_rows.category IN (1, 2, 4) THEN feed_rows.category ELSE 1 END AS category,
{% endblock %}
{% block condition %}(newest.status <> 1 OR newest.category NOT IN (1, 2, 4)) AND newest.id > {{ highest_client }}{% endblock %}
