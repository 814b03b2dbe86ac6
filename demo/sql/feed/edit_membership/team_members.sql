{# A contact leaves or rejoins a team. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  CASE WHEN feed_rows.status = 1 THEN 0 ELSE 1 END AS status,
{% endblock %}
