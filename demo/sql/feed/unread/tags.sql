{# How often a tag is used. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  COALESCE(feed_rows.taggings_count, 0) + 1 AS taggings_count,
{% endblock %}
