{# A vendor gets another person in charge at the client. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import another_inviter with context %}
{% block changes %}
  {{ another_inviter('feed_rows.invited_by', 'inviter') }} AS invited_by,
{% endblock %}
{% block condition %}newest.client_company_id = {{ client }} AND newest.invited_by IS NOT NULL{% endblock %}
