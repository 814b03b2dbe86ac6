{# Where a country stands in lists. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  feed_rows.display_position + 1 AS display_position,
{% endblock %}
