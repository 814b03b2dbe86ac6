{# A vendor goes on its way to the client and stays qualified. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  CASE feed_rows.status WHEN 1 THEN 2 WHEN 2 THEN 7 ELSE 1 END AS status,
{% endblock %}
{% block condition %}newest.client_company_id = {{ client }} AND newest.status IN (1, 2, 7){% endblock %}
