{# A vendor becomes inactive, or takes a category of no vendor. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import draw with context %}
{% block changes %}
  CASE WHEN {{ draw('reason', 2) }} = 0 THEN 0 ELSE feed_rows.status END AS status,
  CASE WHEN {{ draw('reason', 2) }} = 1 THEN 3 ELSE feed_rows.category END AS category,
{% endblock %}
{% block condition %}newest.status = 1 AND newest.category IN (1, 2, 4){% endblock %}
