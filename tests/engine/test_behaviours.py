"""What the engine claims of the service where AWS documents it; docs/engine.md lists it. Runs against AWS, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from engine.app_instances import AWS_IDENTITY_LAG, Place, code_of, message, token


def test_create_channel_answers_201_with_an_arn_that_ends_in_its_id(place: Place) -> None:
    """A channel's ARN ends in its ChannelId; creation answers 201."""
    made = place.messaging.create_channel(
        AppInstanceArn=place.app,
        ChannelId="a:b@c",
        Name="n",
        Metadata="m",
        Mode="UNRESTRICTED",
        Privacy="PUBLIC",
        ClientRequestToken=token(),
        ChimeBearer=place.boss,
    )
    assert made["ChannelArn"] == f"{place.app}/channel/a:b@c"
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    shown = place.settled(made["ChannelArn"])
    assert (shown["Name"], shown["Metadata"], shown["Mode"], shown["Privacy"]) == (
        "n",
        "m",
        "UNRESTRICTED",
        "PUBLIC",
    )
    assert shown["CreatedBy"] == {"Arn": place.boss, "Name": "boss"}
    assert len(place.channel().rpartition("/")[2]) == 36


WRONG: dict[str, dict[str, Any]] = {
    "name": {"Name": "n" * 257},
    "mode": {"Mode": "OPEN"},
    "token": {"ClientRequestToken": "a b"},
    "metadata": {"Metadata": "é" * 1000},
    "bearer": {"ChimeBearer": "nobody"},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_breaks_a_rule_of_the_model_is_a_bad_request(place: Place, case: str) -> None:
    """What breaks a rule of botocore's model is refused with a 400."""
    given = {"Name": "n", "ClientRequestToken": token(), "ChimeBearer": place.boss, **WRONG[case]}
    with pytest.raises(ClientError) as caught:
        place.messaging.create_channel(AppInstanceArn=place.app, **given)
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("BadRequestException", 400)


def test_lists_come_in_pages_of_max_results(place: Place) -> None:
    """Lists come in pages of MaxResults."""
    for number in range(5):
        place.user(f"u{number}")
    pages: list[list[str]] = []
    more: dict[str, str] = {}
    while True:
        page = place.identity.list_app_instance_users(AppInstanceArn=place.app, MaxResults=2, **more)
        pages.append([user["AppInstanceUserArn"].rpartition("/")[2] for user in page["AppInstanceUsers"]])
        if not page.get("NextToken"):
            break
        more = {"NextToken": page["NextToken"]}
    assert all(len(page) <= 2 for page in pages)
    assert sorted(name for page in pages for name in page) == ["boss", "u0", "u1", "u2", "u3", "u4"]


def test_channel_id_in_use_is_a_conflict(place: Place) -> None:
    """A ChannelId in use is a Conflict."""
    place.channel(ChannelId="lobby")
    again = {"AppInstanceArn": place.app, "ChannelId": "lobby", "Name": "n", "ChimeBearer": place.boss}
    assert code_of(place.messaging.create_channel, **again, ClientRequestToken=token()) == "Conflict"


def test_creator_is_member_and_moderator(place: Place) -> None:
    """Who creates a channel is its member and moderator."""
    arn = place.channel()
    assert place.moderators(arn) == {"boss"}
    assert place.members(arn) == {"boss"}


def test_metadata_holds_1024_bytes_of_utf_8(place: Place) -> None:
    """Metadata holds 1024 bytes as UTF-8, not characters."""
    arn = place.channel(Metadata="é" * 512)
    update = {"ChannelArn": arn, "ChimeBearer": place.boss, "Name": "n", "Mode": "RESTRICTED"}
    assert code_of(place.messaging.update_channel, **update, Metadata="é" * 513) == "BadRequest"


def test_delete_channel_answers_204_and_is_for_good(place: Place) -> None:
    """A channel is deleted at once and for good, and deletion answers 204."""
    arn = place.channel()
    gone = place.messaging.delete_channel(ChannelArn=arn, ChimeBearer=place.boss)
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert code_of(place.messaging.describe_channel, ChannelArn=arn, ChimeBearer=place.boss)


def test_resource_has_at_most_fifty_tags_and_they_take_no_bearer(place: Place) -> None:
    """Tags take no bearer; a resource has at most fifty."""
    arn = place.channel(Tags=[{"Key": "a", "Value": "1"}])
    place.messaging.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    place.messaging.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert place.messaging.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    assert code_of(place.messaging.tag_resource, ResourceARN=arn, Tags=many) in (
        "BadRequest",
        "ResourceLimitExceeded",
    )


def test_batch_answers_200_and_names_those_that_failed(place: Place) -> None:
    """A batch answers 200 and names the members that failed; those that can be added are."""
    ann, ghost = place.user("ann"), f"{place.app}/user/ghost"
    arn = place.channel()
    answer = place.messaging.batch_create_channel_membership(
        ChannelArn=arn, MemberArns=[ann, ghost], ChimeBearer=place.boss
    )
    assert [one["MemberArn"] for one in answer["Errors"]] == [ghost]
    assert place.members(arn) == {"boss", "ann"}


def test_hidden_members_are_listed_only_when_asked_for(place: Place) -> None:
    """HIDDEN members are listed only when asked for."""
    ann, arn = place.user("ann"), place.channel()
    place.messaging.create_channel_membership(ChannelArn=arn, MemberArn=ann, Type="HIDDEN", ChimeBearer=place.boss)
    assert (place.members(arn), place.members(arn, "HIDDEN")) == ({"boss"}, {"ann"})


def test_ban_ends_the_membership_and_forbids_another(place: Place) -> None:
    """A ban ends the membership and forbids another until it is lifted; a second one is a Conflict."""
    ann = place.user("ann")
    arn = place.channel(MemberArns=[ann])
    here = {"ChannelArn": arn, "ChimeBearer": place.boss}
    place.messaging.create_channel_ban(**here, MemberArn=ann)
    assert place.members(arn) == {"boss"}
    assert code_of(place.messaging.create_channel_ban, **here, MemberArn=ann) == "Conflict"
    member = {**here, "MemberArn": ann, "Type": "DEFAULT"}
    assert code_of(place.messaging.create_channel_membership, **member)
    place.messaging.delete_channel_ban(**here, MemberArn=ann)
    place.messaging.create_channel_membership(**member)
    assert place.members(arn) == {"boss", "ann"}


def test_strangers_see_nothing_members_read_moderators_manage(place: Place) -> None:
    """Strangers see nothing of it, members read, moderators manage, and who adds members depends on the mode."""
    ann, bob, eve = (place.user(name) for name in ("ann", "bob", "eve"))
    arn = place.channel(MemberArns=[ann])
    place.messaging.create_channel_moderator(ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=place.boss)
    rename = {"ChannelArn": arn, "Name": "n", "Mode": "RESTRICTED"}
    add = {"ChannelArn": arn, "MemberArn": eve, "Type": "DEFAULT"}
    describe, update = place.messaging.describe_channel, place.messaging.update_channel
    assert code_of(describe, ChannelArn=arn, ChimeBearer=eve) in ("Forbidden", "NotFound")
    assert [code_of(describe, ChannelArn=arn, ChimeBearer=who) for who in (ann, bob)] == ["", ""]
    assert [code_of(update, **rename, ChimeBearer=who) for who in (ann, bob, place.boss)] == ["Forbidden", "", ""]
    assert code_of(place.messaging.create_channel_membership, **add, ChimeBearer=ann) == "Forbidden"
    place.messaging.update_channel(**{**rename, "Mode": "UNRESTRICTED"}, ChimeBearer=bob)
    assert code_of(place.messaging.create_channel_membership, **add, ChimeBearer=ann) == ""


@pytest.mark.parametrize("mode", ["RESTRICTED", "UNRESTRICTED"])
def test_only_default_members_send(place: Place, mode: str) -> None:
    """In both modes DEFAULT members send; hidden ones, and moderators and admins who are no members, may not."""
    ann, bob, eve = (place.user(name) for name in ("ann", "bob", "eve"))
    arn = place.channel(Mode=mode, MemberArns=[ann])
    here = {"ChannelArn": arn, "ChimeBearer": place.boss}
    place.messaging.create_channel_membership(**here, MemberArn=bob, Type="HIDDEN")
    place.messaging.create_channel_moderator(**here, ChannelModeratorArn=eve)
    if "eve" in place.members(arn):  # where moderators become members
        place.messaging.delete_channel_membership(**here, MemberArn=eve)
    place.messaging.delete_channel_membership(**here, MemberArn=place.boss)
    send = place.messaging.send_channel_message
    assert [code_of(send, **message(arn, who)) for who in (ann, bob, eve, place.boss)] == ["", *["Forbidden"] * 3]
    place.messaging.create_channel_membership(**here, MemberArn=eve, Type="DEFAULT")
    assert code_of(send, **message(arn, eve)) == ""


def test_hidden_members_read_but_cannot_send(place: Place) -> None:
    """A HIDDEN member cannot send but lists what is said."""
    ann, arn = place.user("ann"), place.channel()
    here = {"ChannelArn": arn, "ChimeBearer": place.boss}
    place.messaging.create_channel_membership(**here, MemberArn=ann, Type="HIDDEN")
    place.send(arn, place.boss, "news")
    listed = place.retry(place.messaging.list_channel_messages, ChannelArn=arn, ChimeBearer=ann)
    assert [one["Content"] for one in listed["ChannelMessages"]] == ["news"]


def test_hidden_members_are_listed_for_moderators_and_admins(place: Place) -> None:
    """Who is HIDDEN is shown to moderators and admins, not to members, in public channels, too."""
    ann, bob, eve = (place.user(name) for name in ("ann", "bob", "eve"))
    for privacy in ("PRIVATE", "PUBLIC"):
        arn = place.channel(MemberArns=[ann], Privacy=privacy)
        here = {"ChannelArn": arn, "ChimeBearer": place.boss}
        place.messaging.create_channel_membership(**here, MemberArn=eve, Type="HIDDEN")
        place.messaging.create_channel_moderator(**here, ChannelModeratorArn=bob)
        assert place.members(arn, "HIDDEN") == {"eve"}
        listing = place.messaging.list_channel_memberships
        codes = [code_of(listing, ChannelArn=arn, Type="HIDDEN", ChimeBearer=who) for who in (bob, ann, eve)]
        assert codes == ["", "Forbidden", "Forbidden"]
        assert code_of(listing, ChannelArn=arn, Type="DEFAULT", ChimeBearer=ann) == ""


def test_public_channels_are_read_by_everybody(place: Place) -> None:
    """A stranger reads a PUBLIC channel, its members and messages, but neither sends nor lists who moderates it."""
    ann, arn = place.user("ann"), place.channel(Privacy="PUBLIC")
    said = place.send(arn, place.boss, "news")
    here = {"ChannelArn": arn, "ChimeBearer": ann}
    api = place.messaging
    assert place.retry(api.describe_channel, **here)["Channel"]["ChannelArn"] == arn
    members = place.retry(api.list_channel_memberships, **here)["ChannelMemberships"]
    assert [one["Member"]["Arn"] for one in members] == [place.boss]
    member = place.retry(api.describe_channel_membership, **here, MemberArn=place.boss)["ChannelMembership"]
    assert member["Type"] == "DEFAULT"
    messages = place.retry(api.list_channel_messages, **here)["ChannelMessages"]
    assert [one["Content"] for one in messages] == ["news"]
    assert place.retry(api.get_channel_message, **here, MessageId=said)["ChannelMessage"]["Content"] == "news"
    assert code_of(api.send_channel_message, **message(arn, ann)) == "Forbidden"
    assert [code_of(call, **here) for call in (api.list_channel_moderators, api.list_channel_bans)] == [
        "Forbidden",
        "Forbidden",
    ]


def test_moderators_are_made_by_admins_and_by_moderators_who_are_members(place: Place) -> None:
    """A moderator makes moderators once it has a membership of its own; an admin needs none."""
    ann, bob, eve, tom = (place.user(name) for name in ("ann", "bob", "eve", "tom"))
    arn = place.channel(MemberArns=[ann])
    boss = {"ChannelArn": arn, "ChimeBearer": place.boss}
    place.messaging.create_channel_moderator(**boss, ChannelModeratorArn=bob)
    if "bob" in place.members(arn):  # where moderators become members
        place.messaging.delete_channel_membership(**boss, MemberArn=bob)
    make = place.messaging.create_channel_moderator
    here = {"ChannelArn": arn, "ChannelModeratorArn": eve}
    assert [code_of(make, **here, ChimeBearer=who) for who in (ann, bob)] == ["Forbidden", "Forbidden"]
    assert place.moderators(arn) == {"boss", "bob"}
    place.messaging.create_channel_membership(**boss, MemberArn=bob, Type="DEFAULT")
    assert code_of(make, **here, ChimeBearer=bob) == ""
    place.messaging.delete_channel_membership(**boss, MemberArn=place.boss)
    assert code_of(make, **boss, ChannelModeratorArn=tom) == ""
    assert place.moderators(arn) == {"boss", "bob", "eve", "tom"}


def test_messages_are_deleted_by_admins_and_redacted_by_moderators(place: Place) -> None:
    """Only an admin deletes; moderators redact any message, members their own; nothing of it is left."""
    ann, bob, eve = (place.user(name) for name in ("ann", "bob", "eve"))
    arn = place.channel(MemberArns=[ann, eve])
    place.messaging.create_channel_moderator(ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=place.boss)
    first, second, third = (place.send(arn, ann, content) for content in ("one", "two", "three"))
    here = {"ChannelArn": arn, "MessageId": first}
    delete, redact = place.messaging.delete_channel_message, place.messaging.redact_channel_message
    assert [code_of(delete, **here, ChimeBearer=who) for who in (ann, bob)] == ["Forbidden", "Forbidden"]
    assert [code_of(redact, **here, ChimeBearer=who) for who in (eve, bob)] == ["Forbidden", ""]
    assert code_of(redact, ChannelArn=arn, MessageId=second, ChimeBearer=ann) == ""
    seen = place.retry(place.messaging.get_channel_message, **here, ChimeBearer=place.boss)["ChannelMessage"]
    assert (seen["Redacted"], seen.get("Content", "")) == (True, "")
    assert code_of(delete, ChannelArn=arn, MessageId=third, ChimeBearer=place.boss) == ""
    assert place.contents(arn) == ["", ""]


def test_messages_are_updated_by_their_sender(place: Place) -> None:
    """Nobody but its sender changes a message, admins included."""
    ann = place.user("ann")
    arn = place.channel(MemberArns=[ann])
    change = {"ChannelArn": arn, "MessageId": place.send(arn, ann), "Content": "changed"}
    update = place.messaging.update_channel_message
    assert [code_of(update, **change, ChimeBearer=who) for who in (place.boss, ann)] == ["Forbidden", ""]
    assert place.contents(arn) == ["changed"]


def test_moderators_and_bans_are_not_listed_for_members(place: Place) -> None:
    """Admins and moderators list moderators and bans; members may not."""
    ann, bob = place.user("ann"), place.user("bob")
    arn = place.channel(MemberArns=[ann])
    place.messaging.create_channel_moderator(ChannelArn=arn, ChannelModeratorArn=bob, ChimeBearer=place.boss)
    for listing in (place.messaging.list_channel_moderators, place.messaging.list_channel_bans):
        place.retry(listing, ChannelArn=arn, ChimeBearer=bob)
        assert [code_of(listing, ChannelArn=arn, ChimeBearer=who) for who in (ann, place.boss)] == ["Forbidden", ""]
    describe = place.messaging.describe_channel_moderator
    here = {"ChannelArn": arn, "ChannelModeratorArn": bob}
    place.retry(describe, **here, ChimeBearer=bob)
    assert code_of(describe, **here, ChimeBearer=ann) == "Forbidden"


def test_admins_and_moderators_cannot_be_banned(place: Place) -> None:
    """Nobody bans an admin or a moderator of the channel."""
    ann, bob = place.user("ann"), place.user("bob")
    arn = place.channel(MemberArns=[ann])
    here = {"ChannelArn": arn, "ChimeBearer": place.boss}
    place.messaging.create_channel_moderator(**here, ChannelModeratorArn=bob)
    ban = place.messaging.create_channel_ban
    for who in (bob, place.boss):
        assert code_of(ban, **here, MemberArn=who) in ("BadRequest", "Forbidden", "Conflict")
    place.messaging.delete_channel_moderator(**here, ChannelModeratorArn=bob)
    assert [code_of(ban, **here, MemberArn=who) for who in (ann, bob)] == ["", ""]


def test_channels_without_privacy_are_listed_by_role(place: Place) -> None:
    """Without Privacy an admin is shown every channel, others the public ones."""
    ann = place.user("ann")
    public, private = place.channel(Privacy="PUBLIC"), place.channel(MemberArns=[ann])
    listed = []
    for who in (place.boss, ann):
        channels = place.messaging.list_channels(AppInstanceArn=place.app, ChimeBearer=who)["Channels"]
        listed.append({one["ChannelArn"] for one in channels})
    assert listed == [{public, private}, {public}]


def test_channels_of_another_user_are_listed_for_admins(place: Place) -> None:
    """Only an AppInstanceAdmin lists the channels that another user is a member of."""
    ann, bob = place.user("ann"), place.user("bob")
    arn = place.channel(MemberArns=[ann])
    listing = {"AppInstanceUserArn": ann, "ChimeBearer": bob}
    call = place.messaging.list_channel_memberships_for_app_instance_user
    assert code_of(call, **listing) == "Forbidden"
    for who in (ann, place.boss):
        shown = call(**{**listing, "ChimeBearer": who})["ChannelMemberships"]
        assert [one["ChannelSummary"]["ChannelArn"] for one in shown] == [arn]


def test_deleted_user_is_nothing_in_any_channel(place: Place) -> None:
    """Deleting a user ends memberships, moderatorships and bans; who comes back under the name is a stranger."""
    ann = place.user("ann")
    member, moderated, banned = place.channel(MemberArns=[ann]), place.channel(), place.channel()
    boss = {"ChimeBearer": place.boss}
    place.messaging.create_channel_moderator(ChannelArn=moderated, ChannelModeratorArn=ann, **boss)
    place.messaging.create_channel_ban(ChannelArn=banned, MemberArn=ann, **boss)
    place.identity.delete_app_instance_user(AppInstanceUserArn=ann)
    assert [place.members(arn) for arn in (member, moderated)] == [{"boss"}, {"boss"}]
    assert place.moderators(moderated) == {"boss"}
    bans = place.retry(place.messaging.list_channel_bans, ChannelArn=banned, **boss)["ChannelBans"]
    assert bans == []
    place.user("ann")
    describe = {"ChannelArn": member, "ChimeBearer": ann}
    assert code_of(place.messaging.describe_channel, **describe) in ("Forbidden", "NotFound")


def test_private_channels_are_listed_for_admins(place: Place) -> None:
    """Only an AppInstanceAdmin lists private channels."""
    ann, arn = place.user("ann"), place.channel()
    private = {"AppInstanceArn": place.app, "Privacy": "PRIVATE"}
    assert code_of(place.messaging.list_channels, **private, ChimeBearer=ann) == "Forbidden"
    listed = place.messaging.list_channels(**private, ChimeBearer=place.boss)["Channels"]
    assert [one["ChannelArn"] for one in listed] == [arn]


def test_bearer_that_does_not_exist_is_a_401(place: Place) -> None:
    """A bearer that does not exist is a 401, in words that name the header."""
    with pytest.raises(ClientError) as caught:
        place.messaging.create_channel(
            AppInstanceArn=place.app, Name="n", ClientRequestToken=token(), ChimeBearer=f"{place.app}/user/nobody"
        )
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (
        "UnauthorizedClientException",
        401,
    )
    assert "x-amz-chime-bearer" in answer["Error"]["Message"]


def test_expiration_is_set_changed_and_removed(place: Place) -> None:
    """Expiration is set with creation, changed, and taken away by a call without settings."""
    days = {"ExpirationDays": 3, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    arn = place.channel(ExpirationSettings=days)
    assert place.settled(arn)["ExpirationSettings"] == days
    here = {"ChannelArn": arn, "ChimeBearer": place.boss}
    place.messaging.put_channel_expiration_settings(**here, ExpirationSettings={**days, "ExpirationDays": 4})
    assert place.settled(arn)["ExpirationSettings"]["ExpirationDays"] == 4
    place.messaging.put_channel_expiration_settings(**here)
    assert "ExpirationSettings" not in place.settled(arn)


ELASTIC = {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 2, "MinimumMembershipPercentage": 10}


def test_elastic_channel_is_restricted_empty_and_the_only_one(place: Place) -> None:
    """An elastic channel is RESTRICTED, begins without members, and is the only one of its app instance."""
    create: Callable[..., Any] = place.messaging.create_channel

    def refused(**more: Any) -> str:
        given = {"AppInstanceArn": place.app, "Name": "n", "ChimeBearer": place.boss, "Mode": "RESTRICTED"}
        return code_of(create, ClientRequestToken=token(), ElasticChannelConfiguration=ELASTIC, **{**given, **more})

    assert refused(Mode="UNRESTRICTED") == "BadRequest"
    assert refused(MemberArns=[place.user("ann")]) == "BadRequest"
    arn = place.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    assert place.settled(arn)["ElasticChannelConfiguration"] == ELASTIC
    assert refused() == "ResourceLimitExceeded"


def test_elastic_channel_is_created_once_with_one_token(place: Place) -> None:
    """The same request again is answered with the channel that it made, not refused as a second elastic channel."""
    request = {
        "AppInstanceArn": place.app,
        "Name": "n",
        "Mode": "RESTRICTED",
        "ClientRequestToken": token(),
        "ElasticChannelConfiguration": ELASTIC,
        "ChimeBearer": place.boss,
    }
    first, second = (place.messaging.create_channel(**request)["ChannelArn"] for _ in range(2))
    assert first == second


def test_elastic_channel_drops_the_membership_of_a_changed_moderator(place: Place) -> None:
    """On an elastic channel, becoming a moderator ends the membership, and so does to be none any more."""
    ann = place.user("ann")
    arn = place.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    here = {"ChannelArn": arn, "ChimeBearer": place.boss}
    place.messaging.create_channel_membership(**here, MemberArn=ann, Type="DEFAULT")
    place.messaging.create_channel_moderator(**here, ChannelModeratorArn=ann)
    assert "ann" not in place.members(arn)
    assert "ann" in place.moderators(arn)
    member = {**here, "MemberArn": ann, "Type": "DEFAULT"}
    assert code_of(place.messaging.create_channel_membership, **member) == "BadRequest", "wants a SubChannelId"
    batch = place.messaging.batch_create_channel_membership(**here, MemberArns=[ann])
    assert [one["MemberArn"] for one in batch["Errors"]] == [ann]
    place.messaging.delete_channel_moderator(**here, ChannelModeratorArn=ann)
    assert "ann" not in place.members(arn)


def test_elastic_moderators_need_not_be_members(place: Place) -> None:
    """A moderator of an elastic channel is one from the beginning, without being a member."""
    ann = place.user("ann")
    arn = place.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC, ModeratorArns=[ann])
    assert (place.moderators(arn), place.members(arn)) == ({"boss", "ann"}, set())


def test_elastic_channels_have_no_hidden_members(place: Place) -> None:
    """On an elastic channel nobody becomes a HIDDEN member, one by one or in a batch."""
    ann = place.user("ann")
    arn = place.channel(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    here = {"ChannelArn": arn, "ChimeBearer": place.boss, "Type": "HIDDEN"}
    assert code_of(place.messaging.create_channel_membership, **here, MemberArn=ann) == "BadRequest"
    assert code_of(place.messaging.batch_create_channel_membership, **here, MemberArns=[ann]) == "BadRequest"


def test_flow_in_use_cannot_be_deleted(place: Place) -> None:
    """A flow in use cannot be deleted; once it is disassociated it can."""
    arn, flow = place.channel(), place.flow()
    here = {"ChannelArn": arn, "ChannelFlowArn": flow, "ChimeBearer": place.boss}
    place.messaging.associate_channel_flow(**here)
    assert place.settled(arn)["ChannelFlowArn"] == flow
    assert code_of(place.messaging.delete_channel_flow, ChannelFlowArn=flow)
    place.messaging.disassociate_channel_flow(**here)
    assert code_of(place.messaging.delete_channel_flow, ChannelFlowArn=flow) == ""


def test_retention_is_in_days_and_switched_off_by_empty_settings(place: Place) -> None:
    """Retention is in days; empty settings switch it off."""
    settings: list[dict[str, Any]] = [
        {"ChannelRetentionSettings": {"RetentionDays": 30}},
        {"ChannelRetentionSettings": {}},
    ]
    for given in settings:
        place.identity.put_app_instance_retention_settings(
            AppInstanceArn=place.app, AppInstanceRetentionSettings=given
        )
        answer = place.identity.get_app_instance_retention_settings(AppInstanceArn=place.app)
        assert answer["AppInstanceRetentionSettings"] == given


@pytest.mark.parametrize("case", ["name", "region", "account"])
def test_stream_must_be_named_chime_messaging_and_be_near(place: Place, case: str) -> None:
    """A stream must be named chime-messaging-… and be in the app instance's region and account."""
    account = "999999999999" if case == "account" else place.app.split(":")[4]
    region = "eu-west-1" if case == "region" else place.region
    stream = "stream/other" if case == "name" else "stream/chime-messaging-x"
    configurations = [{"DataType": "Channel", "ResourceArn": f"arn:aws:kinesis:{region}:{account}:{stream}"}]
    put = place.messaging.put_messaging_streaming_configurations
    assert code_of(put, AppInstanceArn=place.app, StreamingConfigurations=configurations) in (
        "BadRequest",
        "Forbidden",
        "NotFound",
    )
    get = place.messaging.get_messaging_streaming_configurations
    assert code_of(get, AppInstanceArn=place.app) == "NotFound"


def test_app_instance_is_seen_in_its_own_region_only(places: Callable[[str], Place]) -> None:
    """An app instance is seen in its own region only."""
    here, there = places("us-east-1"), places("eu-central-1")
    assert there.app.split(":")[3] == "eu-central-1"
    assert code_of(here.identity.describe_app_instance, AppInstanceArn=there.app) in (
        "BadRequest",
        "Forbidden",
        "NotFound",
    )


def test_admin_manages_until_the_right_is_removed(place: Place) -> None:
    """Who is made an admin twice is a Conflict; who is no admin any more cannot manage."""
    ann, arn = place.user("ann"), place.channel()
    admin = {"AppInstanceArn": place.app, "AppInstanceAdminArn": ann}
    place.identity.create_app_instance_admin(**admin)
    assert code_of(place.identity.create_app_instance_admin, **admin) == "Conflict"
    rename = {"ChannelArn": arn, "Name": "n", "Mode": "RESTRICTED", "ChimeBearer": ann}
    place.retry(place.messaging.update_channel, AWS_IDENTITY_LAG, **rename)
    place.identity.delete_app_instance_admin(**admin)
    assert code_of(place.messaging.update_channel, **rename) == "Forbidden"


def test_expiration_of_a_user_is_set_and_shown(place: Place) -> None:
    """A user's expiration is set and shown."""
    days = {"ExpirationDays": 3, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    ann = place.user("ann")
    place.identity.put_app_instance_user_expiration_settings(AppInstanceUserArn=ann, ExpirationSettings=days)
    shown = place.identity.describe_app_instance_user(AppInstanceUserArn=ann)["AppInstanceUser"]
    assert shown["ExpirationSettings"] == days
