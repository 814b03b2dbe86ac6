{# What a login leaves behind. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import between, digits, letters, text with context %}
{% block changes %}
  {{ digits('session', 9) }} || {{ letters('session tail', 6) }} AS session_id,
  '{"ip": "198.51.100.' || {{ text(between('ip', 1, 254)) }} || '"}' AS ip_info,
{% endblock %}
