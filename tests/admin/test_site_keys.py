"""The page on which a site declares what its own keys look like."""

import pytest

from registry.intake import declare_key_pattern
from registry.models import Site

ADD_SYSTEM = "/admin/registry/patient/add/"
ADD_EVENT = "/admin/registry/event/add/"
WORD = {"key_prefix": "KSG-", "key_digits": 4}


def page(site):
    return f"/admin/registry/site/{site.pk}/keys/"


@pytest.mark.parametrize("who", ["lead", "manager"])
def test_page_takes_the_pattern(who, own_site, request, signed_in):
    client = signed_in(request.getfixturevalue(who))
    shown = client.get(page(own_site)).text
    assert "any key that does not identify" in shown
    assert ("You declare it once" in shown) == (who == "lead")

    answer = client.post(page(own_site), WORD, follow=True)

    assert Site.objects.get(pk=own_site.pk).key_pattern.example == "KSG-0001"
    assert "like KSG-0001" in answer.text


def test_lead_declares_once_and_a_data_manager_again(own_site, lead, manager, signed_in):
    declare_key_pattern("OWN-1", **WORD, by=lead)
    client = signed_in(lead)

    assert "This was declared once" in client.get(page(own_site)).text
    assert "New keys of OWN-1 look like" in client.post(page(own_site), WORD).text
    site_page = f"/admin/registry/site/{own_site.pk}/change/"
    assert page(own_site) not in client.get(site_page).text

    assert page(own_site) in signed_in(manager).get(site_page).text
    signed_in(manager).post(page(own_site), {"key_prefix": "", "key_digits": ""})
    assert Site.objects.get(pk=own_site.pk).key_pattern is None


def test_pattern_that_identifies_is_refused_at_its_field(own_site, lead, signed_in):
    answer = signed_in(lead).post(page(own_site), {"key_prefix": "Meier-", "key_digits": "3"})

    [fault] = answer.context["form"].errors["key_prefix"]
    assert "rule: name" in fault
    assert Site.objects.get(pk=own_site.pk).key_pattern is None


@pytest.mark.parametrize(("who", "status"), [("reporter", 403), ("reviewer", 403)])
def test_others_have_no_such_page(who, status, own_site, request, signed_in):
    client = signed_in(request.getfixturevalue(who))

    assert client.get(page(own_site)).status_code == status
    assert client.post(page(own_site), WORD).status_code == status
    site_page = f"/admin/registry/site/{own_site.pk}/change/"
    assert page(own_site) not in client.get(site_page).text


@pytest.mark.parametrize("form", [ADD_SYSTEM, ADD_EVENT])
def test_forms_say_what_the_sites_keys_look_like(form, own_site, reporter, lead, signed_in):
    client = signed_in(reporter)
    assert "site&#x27;s own keys look like" not in client.get(form).text.replace("'", "&#x27;")

    declare_key_pattern("OWN-1", **WORD, by=lead)

    assert "own keys look like KSG-0001." in client.get(form).text


def test_session_that_ended_keeps_the_pattern_that_was_typed(own_site, lead, client, signed_in):
    refused = client.post(page(own_site), WORD)
    again = signed_in(lead)

    shown = again.post(page(own_site), {"_kept": refused.context["kept"]})

    assert shown.context["form"]["key_prefix"].value() == "KSG-"
    assert Site.objects.get(pk=own_site.pk).key_pattern is None
