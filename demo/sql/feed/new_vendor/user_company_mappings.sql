{# The contact acts for the new company. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  {{ new.user_company_mappings }} + feed_rows.change_number AS id,
  {{ new.users }} + feed_rows.change_number AS user_id,
  {{ new.companies }} + feed_rows.change_number AS company_id,
  1 AS status,
  feed_rows.changed_at AS created_at,
{% endblock %}
