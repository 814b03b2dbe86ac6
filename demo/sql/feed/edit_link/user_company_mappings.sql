{# A contact leaves or rejoins a company, or gets another designation. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import draw with context %}
{% block changes %}
  CASE WHEN {{ draw('columns', 2) }} = 0 THEN CASE WHEN feed_rows.status = 1 THEN 0 ELSE 1 END ELSE feed_rows.status END AS status,
  CASE WHEN {{ draw('columns', 2) }} = 1 THEN COALESCE(feed_rows.designation_id, 0) + 1 ELSE feed_rows.designation_id END AS designation_id,
{% endblock %}
